"""Telling browsers what is done to the stock, as it is done: a WebSocket, ``/ws/movements``."""
