"""The resource graph as CloudFormation templates: readable YAML, the same bytes from run to run."""

from __future__ import annotations

from seatrial.iac.cloudformation.render import files, text

__all__ = ["files", "text"]
