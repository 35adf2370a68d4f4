"""Session Manager's data channels, as ECS Exec opens them: a WebSocket between a person and a terminal in a task.

``messages``  the binary messages of a channel, both ways. Pure
``channel``   one channel: the handshake, then keys in and text out, in order and acknowledged
``server``    where clients connect to; a token opens one channel once

The protocol is that of the public sources of ``aws/session-manager-plugin`` (``src/message``, ``src/datachannel``),
which can be used with it.
"""
