"""Asking MongoDB whether it is there."""

from django.db import connection


def ask_database() -> None:
    """Raise an error of Django's when the database does not answer."""
    connection.ping()
