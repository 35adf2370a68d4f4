"""What is known of the user's Django project by reading its files. Never imports the user's code.

``verify``    what a release looks at first: the settings module and the modules of the commands are there
``modules``   Python modules among a project's paths
``commands``  which module a command starts
"""

from __future__ import annotations

from seatrial.project.verify import Findings, verify

__all__ = ["Findings", "verify"]
