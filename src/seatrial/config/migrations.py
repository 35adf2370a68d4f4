"""``[migrations]``: what a release may do to the database, and when."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from seatrial.config.fields import Model

Acknowledgement = Annotated[str, Field(pattern=r"^\w+\.\w+:\w+.*$")]


class Maintenance(Model):
    """``maintenance``: a time in which users are told that the application may fail. Dates and times with an offset."""

    start: AwareDatetime = Field(alias="from", description="from then on, such as 2026-03-01T02:00:00Z")
    until: AwareDatetime = Field(description="up to then")

    @model_validator(mode="after")
    def _in_order(self) -> Maintenance:
        if self.start >= self.until:
            raise ValueError("`from` must be before `until`")
        return self

    def open_at(self, moment: datetime) -> bool:
        """Whether the window is open."""
        return self.start <= moment < self.until


class Migrations(Model):
    """``[migrations]``: what a release may do to the database while the version before still serves."""

    check: bool | None = Field(
        default=None, description="whether plan and deploy look at pending migrations; by default with a [database]"
    )
    python: str | None = Field(
        default=None,
        description="an interpreter on this machine that has the project's packages; by default that of .venv or venv "
        "beside seatrial.toml",
    )
    acknowledged: tuple[Acknowledgement, ...] = Field(
        default=(), description="operations that may run while the version before serves, named as the check names them"
    )
    large_table: int = Field(
        default=64,
        ge=0,
        description="MiB from which a table is too large to be locked while its rows are read or written",
    )
    maintenance: Maintenance | None = Field(default=None, description="a window in which nothing is refused")
