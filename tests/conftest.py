"""A PostgreSQL for the tests: the one TINGFENG_TEST_PG_URL names, else a private one of this run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from benchmarks.postgres import PrivateCluster, find_programs

NewDatabase = Callable[[], str]


def refuse_or_skip(reason: str) -> None:
    """On CI nothing may be left out in silence."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI must not skip: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def private_cluster() -> Iterator[PrivateCluster]:
    """One that a test may shut down, as long as it starts it again."""
    programs = find_programs()
    if programs is None:
        refuse_or_skip("no PostgreSQL here: apt-get install postgresql")
    assert programs is not None
    cluster = PrivateCluster(programs)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def postgres_admin(request: pytest.FixtureRequest) -> str:
    """The address of a database from which others can be made."""
    named = os.environ.get("TINGFENG_TEST_PG_URL", "")
    if named:
        return named
    cluster: PrivateCluster = request.getfixturevalue("private_cluster")
    return cluster.url()


@pytest.fixture
def new_postgres(postgres_admin: str) -> Iterator[NewDatabase]:
    """Makes empty databases, dropped after the test."""
    made: list[str] = []

    def make() -> str:
        name = f"tf_{secrets.token_hex(6)}"
        with psycopg.connect(postgres_admin, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        made.append(name)
        return urlunsplit(urlsplit(postgres_admin)._replace(path=f"/{name}"))

    yield make
    with psycopg.connect(postgres_admin, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for the Desk, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    make: NewDatabase = request.getfixturevalue("new_postgres")
    return make()
