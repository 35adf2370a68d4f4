"""CloudFront that serves: each distribution has a loopback address, and HTTP and HTTPS servers that answer for it.

``service``       all of it together: the actions of the API, and what stops at the end
``distributions`` the actions on distributions and, by ``invalidations``, on those; ``refusals``: what they may not ask
``shelf``         the actions on policies and origin access controls
``lowering``      from the API's configuration and policies to a ``model`` of what an edge does. Pure
``viewer``        one request answered: behaviour, cache, origin, error page; ``presentation`` makes the answer fit
                  the viewer, ``freshness`` says how long an answer is good for. Pure but for what is handed in
``cache``         what an edge has kept, and what invalidations take away
``origin``        a bucket asked as CloudFront asks it; the only file that reads moto
``server``        the HTTP and HTTPS servers of one distribution
"""

from seatrial.emulator.edge.service import Edge

__all__ = ["Edge"]
