"""What the load balancer itself says: its error pages and the headers that it adds to answers."""

from __future__ import annotations

from http import HTTPStatus

SERVER = "awselb/2.0"
ERROR_TYPE = "text/html"

#: Names the target that answered; not a header of AWS, but what lets a rehearsal tell versions apart.
TARGET_HEADER = "x-seatrial-target"

#: The statuses that a load balancer answers with of its own accord, and their names.
OWN = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def reason(status: int) -> str:
    """Return the name of a status; a status that nobody has named goes without."""
    if status in OWN:
        return OWN[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def error_page(status: int) -> str:
    """Return the page that an ALB sends with a status of its own."""
    title = f"{status} {reason(status)}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
