"""Stable ids and keyed hashes. Nothing here reads a file or the environment."""

from __future__ import annotations

import hashlib
import hmac


def _digest(*parts: str) -> str:
    joined = "\x1f".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def post_id(source: str, native_id: str) -> str:
    """24 hex characters, the same for the same (source, native id) on every machine."""
    return _digest("post", source, native_id)


def mention_id(post: str, subject: str) -> str:
    """24 hex characters for a post × subject."""
    return _digest("mention", post, subject)


def row_id(kind: str, *parts: str) -> str:
    """24 hex characters for any other row named by its parts (alert episode, notification, run)."""
    return _digest(kind, *parts)


def author_key(salt: bytes, source: str, account: str) -> str:
    """Keyed hash of an account (HMAC-SHA256, first 16 hex characters); '' stays ''.

    The salt never leaves the machine, so the key joins posts of one author but cannot be looked up.
    """
    if not account:
        return ""
    return hmac.new(salt, f"{source}\x1f{account}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def text_hash(text: str) -> str:
    """32 hex characters of the text as it is, to see whether it changed."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
