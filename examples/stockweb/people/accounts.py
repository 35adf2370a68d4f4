"""How allauth works here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):
    """Nobody signs up: people are let in by ``manage.py invite``."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """No."""
        return False
