"""Stores: posts and mentions (PostStore), people's state (Desk). Knows no rules and no sources."""
