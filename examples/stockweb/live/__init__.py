"""Telling browsers what happens, as it happens: WebSockets, ``/ws/movements`` and ``/ws/imports/ID``."""
