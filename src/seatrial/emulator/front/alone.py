"""Services whose every action is ours, answered without moto's module of the service.

moto's CloudFormation imports the models of all the other services: 1.4 s and 12 MB for a mock that nobody asks. What is
used of moto here is what all its services share: request parsing, dispatch by action name, serialising by botocore's
shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import BaseResponse

from seatrial.emulator.front.actions import Action, install

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed.wsgi import WSGIApplication


#: What moto's router cannot tell, for it leaves query strings out: parameter and value → the action that they mean.
_BY_QUERY = {
    ("WithTags", ""): "CreateDistributionWithTags",
    ("Operation", "Tag"): "TagResource",
    ("Operation", "Untag"): "UntagResource",
}


def application(service: str, actions: Mapping[str, Action]) -> WSGIApplication:
    """Return an application that answers the actions of one service (boto3's name of it), whatever its protocol.

    Raises ``NotImplementedError`` for any other action, as moto does.
    """
    from flask import Flask
    from moto.core.utils import convert_to_flask_response
    from moto.moto_server.werkzeug_app import BackendRequest

    class Response(BaseResponse):  # type: ignore[misc]  # moto is not typed here
        def __init__(self) -> None:
            super().__init__(service_name=service)
            self.automated_parameter_parsing = True

        def _get_action(self) -> Any:
            named = super()._get_action()  # also reads what the path says
            asked = ((name, value) for name, values in self.querystring.items() for value in values)
            return next((_BY_QUERY[each] for each in asked if each in _BY_QUERY), named)

    install(Response, actions)
    server = Flask(__name__, static_folder=None)
    server.debug = True  # exceptions reach the front, which logs and answers them
    server.request_class = BackendRequest
    view: Any = convert_to_flask_response(Response.dispatch)
    for rule in ("/", "/<path:_>"):
        server.add_url_rule(rule, endpoint=service, methods=["GET", "POST", "PUT", "DELETE"], view_func=view)
    return server
