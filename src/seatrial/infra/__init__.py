"""Create and update an environment's stacks, by change sets that are looked at before they are carried out."""

from __future__ import annotations

from seatrial.infra.apply import Applied, StackOutcome, apply

__all__ = ["Applied", "StackOutcome", "apply"]
