"""An image built from the project's Dockerfile by a Docker engine, through its API.

The context is sent as an archive made here, so that it holds what git knows and nothing else. BuildKit's additions
(``RUN --mount``, here-documents) work where the engine's API builds with them, as Podman's partly does; Docker's own
API without a session uses its classic builder, which names them in its error.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections import deque
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from seatrial.errors import ReleaseFailed, UsageError
from seatrial.images import registry
from seatrial.images.registry import Credentials
from seatrial.images.source import tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seatrial.images.source import Source

_STEP = re.compile(r"^(?:\[\d+/\d+\] )?(?:Step|STEP) (\d+/\d+) ?: (.*)")
_LAST_LINES = 30
_SECONDS = 3600


def build_image(
    source: Source, dockerfile: str, name: str, build_args: Mapping[str, str], progress: Callable[[str], None]
) -> DockerImage:
    """Build and tag the image ``name:version``. Raises as :func:`seatrial.images.build`."""
    tag = f"seatrial/{name}:{source.version}"
    with _engine() as api:
        try:
            stream = api.build(
                fileobj=BytesIO(tar(source.files)),
                custom_context=True,
                dockerfile=dockerfile,
                buildargs=dict(build_args),
                tag=tag,
                rm=True,
                forcerm=True,
                decode=True,
            )
            _follow(stream, progress)
        except _errors() as error:
            raise ReleaseFailed(f"the Docker engine cannot build the image: {_reason(error)}") from error
    return DockerImage(source.version, tag)


@dataclass(frozen=True)
class DockerImage:
    """An image in the Docker engine. ``name`` is its name there. Its digest is made by the push."""

    version: str
    name: str

    @property
    def digest(self) -> None:
        """See :class:`seatrial.images.BuiltImage`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """See :class:`seatrial.images.BuiltImage`."""
        return ()

    def push(self, repository_uri: str, username: str, password: str) -> str:
        """See :class:`seatrial.images.BuiltImage`. A version that is there already is not pushed again."""
        credentials = Credentials(username, password)
        there = registry.digest_of(repository_uri, self.version, credentials)
        if there is not None:
            return there
        with _engine() as api:
            try:
                api.tag(self.name, repository_uri, self.version)
                login = {"username": username, "password": password}
                events = list(api.push(repository_uri, tag=self.version, auth_config=login, stream=True, decode=True))
                problem = next((str(event["error"]) for event in events if "error" in event), None)
            except _errors() as error:
                problem = _reason(error)
        if problem is not None:
            raise ReleaseFailed(f"the push to {repository_uri} failed: {problem}", hint=_hint(problem))
        digest = registry.digest_of(repository_uri, self.version, credentials)
        if digest is None:
            raise ReleaseFailed(f"the push to {repository_uri} ended well, but the image is not there")
        return digest


def _follow(stream: Iterable[dict[str, Any]], progress: Callable[[str], None]) -> None:
    """Hand on the build's output and raise the error that ends it, with the step that failed and its last lines."""
    step = failure = ""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    for event in stream:
        for line in event.get("stream", "").splitlines():
            if match := _STEP.match(line):
                step = f"step {match[1]} ({match[2]})"
                last.clear()
            if line.strip():
                last.append(line.rstrip())
                progress(line.rstrip())
        failure = failure or event.get("error", "").strip()  # read on: the connection is free only at its end
    if failure:
        raise ReleaseFailed(
            f"the image does not build: {step or 'before the first step'} failed: {failure}", details=tuple(last)
        )


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    try:
        import docker
        import docker.utils
        import requests
    except ImportError as error:
        raise UsageError("building images needs the Docker SDK", hint="pip install 'seatrial[docker]'") from error
    hint = "start Docker, or set DOCKER_HOST to its socket"
    try:
        # The version is given because the SDK would ask for it here.
        api = docker.APIClient(version="1.41", timeout=_SECONDS, **docker.utils.kwargs_from_env())
    except docker.errors.DockerException as error:
        raise UsageError(f"DOCKER_HOST is not understood: {error}", hint=hint) from error
    with contextlib.closing(api):
        try:
            _try(api)
            api.ping()
        except (OSError, docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise UsageError(f"no Docker engine answers: {error}", hint=hint) from error
        yield api


def _try(api: Any) -> None:
    """Connect to a Unix socket once ourselves: the SDK leaves its own open where that fails."""
    for adapter in api.adapters.values():
        if path := getattr(adapter, "socket_path", None):
            with socket.socket(socket.AF_UNIX) as trial:
                trial.connect(path)


def _errors() -> tuple[type[Exception], ...]:
    import docker
    import requests  # what the SDK speaks with

    return (docker.errors.DockerException, requests.exceptions.RequestException)


def _reason(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error)


def _hint(reason: str) -> str | None:
    if "HTTP response to HTTPS client" in reason:
        return (
            "the emulator's registry speaks plain HTTP on 127.0.0.1, which Docker trusts by itself; for Podman put "
            '`[[registry]]` with `location = "127.0.0.1"` and `insecure = true` into /etc/containers/registries.conf.d'
        )
    return None
