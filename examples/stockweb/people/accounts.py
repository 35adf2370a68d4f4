"""How allauth works here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from stockweb.limits import address


class Accounts(DefaultAccountAdapter):
    """Nobody signs up: people are let in by ``manage.py invite``."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """No."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits go by, the same as elsewhere."""
        return address(request)
