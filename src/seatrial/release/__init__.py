"""Releases: from a plan of frozen steps to an outcome, by ECS API calls and never by a stack update.

``api``          what the command line and the rehearsal call: plan, deploy, promote, rollback
``facts``        what is true before: read-only calls
``plan``         facts in, frozen steps out; pure. ``steps`` are its words, ``permissions`` the IAM policy they need
``rollback``     to which release, by which steps: what is ``underway`` is taken back by ECS (``returning``), services
                 that came later are stopped (``retire``); ``backwards`` asks whether the database allows it
``promote``      what another environment runs, as the release of this one
``execute``      the steps, one after the other, and the way back when one fails
``migrations``   what the pending ones would do to the version that serves
``rollouts``     a service's change followed to its end by the id of its deployment: ``rolling`` by ECS, ``codedeploy``
``smoke``        what the new version must show before users see it; ``probes`` are how it is asked
``tasks``        one task run to completion, its log streamed
``revisions``    the next task definition from the one that the infrastructure tool wrote
``watch``        the events that a release tells while it goes on
``evidence``     what a failed task or service left behind; ``causes`` says why, pure
``record``       numbered releases in the parameter store; ``lock`` keeps it to one at a time
``journal``      the log of a release in S3, hooks, and the history
``outcome``      how it ended
``status``       what an environment runs now
"""

from __future__ import annotations

from seatrial.release.api import deploy, plan, promote, rollback
from seatrial.release.outcome import Outcome

__all__ = ["Outcome", "deploy", "plan", "promote", "rollback"]
