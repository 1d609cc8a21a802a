"""Alembic migrations of the Desk; run by store/desk.py when a database is opened."""
