"""``[notify.NAME]``: who is told when a release begins and ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from seatrial.config.fields import SECONDS, Command, EnvName, Model


class Notify(Model):
    """``[notify.NAME]``: who is told when a release begins and ends. One of `run`, `url` and `url_variable`."""

    run: Command | None = Field(
        default=None, description="a program, run beside seatrial.toml; it gets the event as JSON on standard input"
    )
    url: str | None = Field(
        default=None, pattern=r"^https?://.", description="a webhook; the event is sent by POST as JSON"
    )
    url_variable: EnvName | None = Field(
        default=None, description="the variable of seatrial's own environment that holds the webhook, if it is secret"
    )
    timeout: Annotated[int, SECONDS, Field(ge=1, le=60)] = Field(
        default=10, description="seconds it may take; a hook that fails is told and changes nothing"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Notify:
        if sum(each is not None for each in (self.run, self.url, self.url_variable)) != 1:
            raise ValueError("give one of `run`, `url` and `url_variable`")
        return self
