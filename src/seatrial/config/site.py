"""``[site]``: a static front end, built once per revision and served from S3 by CloudFront."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from seatrial.config.fields import Misplaced, Model

#: What may stand in braces in a value of ``config``, so that ``str.format`` fills it in.
PLACEHOLDERS = ("service_url", "websocket_url", "site_url", "version", "environment")
#: Those of them that need a load balancer.
OF_SERVICES = ("service_url", "websocket_url")
_BRACES = re.compile(r"\{([^{}]*)\}|([{}])")


def _plain_path(value: str) -> str:
    path = PurePosixPath(value)
    if value != str(path) or path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(f'expected a plain relative path such as "dist" or "pages/index.html", not {value!r}')
    return value


def _plain_file(value: str) -> str:
    if value in (".", ""):
        raise ValueError(f"expected the name of a file, not {value!r}")
    return value


def _file_or_nothing(value: str) -> str:
    return value and _plain_file(_plain_path(value))


Folder = Annotated[str, AfterValidator(_plain_path)]
File = Annotated[str, AfterValidator(_plain_path), AfterValidator(_plain_file)]


class Site(Model):
    """`[site]`: a static front end, kept in a private S3 bucket and served by CloudFront on its own host name.

    Every task is told its address as SITE_URL.
    """

    source: Folder = Field(description="the front end's folder, beside seatrial.toml")
    build: str = Field(
        min_length=1, description="run by `sh -c` in that folder, of the very git revision that is released"
    )
    output: Folder = Field(default="dist", description="the folder that the build leaves, below `source`")
    fallback: Annotated[str, AfterValidator(_file_or_nothing)] = Field(
        default="index.html",
        description="the file that answers, with 200, for every path that is no file, as deep links of a single-page "
        'application need it; "" answers 404',
    )
    immutable: tuple[str, ...] = Field(
        default=("assets/*",),
        description="files whose names carry a hash of their content: browsers keep them for ever. `*` stands for any "
        "characters, slashes among them",
    )
    keep: int = Field(
        default=5, ge=1, description="releases whose files stay, for the tabs that still run an earlier one"
    )
    config_file: File = Field(
        default="config.json",
        description="the JSON file that the release writes from `config`, so that one build serves every environment",
    )
    config: dict[str, str] = Field(
        default_factory=dict,
        description="what `config_file` says. Filled in: " + ", ".join(f"`{{{name}}}`" for name in PLACEHOLDERS),
    )
    domain: str | None = Field(default=None, description="host name of the site; needs `certificate`")
    certificate: str | None = Field(
        default=None, description="ARN of the ACM certificate for the domain, in us-east-1, where CloudFront looks"
    )
    price_class: Literal["100", "200", "All"] = Field(
        default="100", description="where the site is served from: 100 is North America and Europe, All is everywhere"
    )

    @model_validator(mode="after")
    def _has_a_certificate_where_cloudfront_looks(self) -> Site:
        if (self.domain is None) != (self.certificate is None):
            absent, given = ("domain", "certificate") if self.domain is None else ("certificate", "domain")
            raise Misplaced((given,), f"`{given}` needs `{absent}` beside it")
        if self.certificate and not re.match(r"arn:aws[\w-]*:acm:us-east-1:\d{12}:certificate/.", self.certificate):
            raise Misplaced(
                ("certificate",),
                f"CloudFront takes certificates of ACM in us-east-1 only: expected arn:aws:acm:us-east-1:..., "
                f"not {self.certificate!r}",
            )
        return self

    @model_validator(mode="after")
    def _only_hashed_names_are_kept_for_ever(self) -> Site:
        for key, name in (("fallback", self.fallback), ("config_file", self.config_file)):
            if name and any(fnmatchcase(name, pattern) for pattern in self.immutable):
                raise Misplaced(
                    ("immutable",), f"matches {name} (`{key}`), which no browser would ever ask for a second time"
                )
        if self.config and self.fallback == self.config_file:
            raise Misplaced(("config_file",), f"{self.config_file} is the `fallback`, which is a page of the build")
        return self

    @model_validator(mode="after")
    def _fills_in_what_it_knows(self) -> Site:
        for key, value in self.config.items():
            for found in _BRACES.finditer(value):
                if found[1] not in PLACEHOLDERS:
                    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                    raise Misplaced(("config", key), f"{found[0]} is none of what can be filled in: {known}")
        return self

    def of_services(self) -> tuple[str, ...]:
        """Return the keys of ``config`` whose values name the load balancer."""
        return tuple(key for key, value in self.config.items() if any(f"{{{name}}}" in value for name in OF_SERVICES))
