"""IAM: what a caller may do. Callers that IAM knows are held to their policies; any other key may do everything.

``decision``  policies and a question in, yes or no out: pure
``resources`` the same for the policy of a resource, which names whom it is for: pure
``needs``     which action on which resource a request is: pure
``guard``     who asks, and what to answer; the only file that reads moto
"""

from seatrial.emulator.access.guard import Guard

__all__ = ["Guard"]
