"""Which runtime this machine can offer."""

from __future__ import annotations

import socket
from typing import Any

_SECONDS = 5


class NoEngine(Exception):
    """There is no usable engine; the text says why and what to do."""


def docker_available() -> str | None:
    """Return why tasks cannot run as containers here, or None where they can."""
    try:
        client(_SECONDS).close()
    except NoEngine as reason:
        return str(reason)
    return None


def client(timeout: int) -> Any:
    """Return a client of the engine at DOCKER_HOST or Docker's default socket. Raises :class:`NoEngine`."""
    try:
        import docker
        import docker.utils
        import requests
    except ImportError as error:
        raise NoEngine("the Docker SDK for Python is not installed (pip install 'seatrial[docker]')") from error
    try:
        # The version is given because the SDK would ask for it here.
        api = docker.APIClient(version="1.41", timeout=timeout, **docker.utils.kwargs_from_env())
    except docker.errors.DockerException as error:
        raise NoEngine(f"DOCKER_HOST is not understood: {error}") from error
    try:
        _try(socket_path(api))
        info: dict[str, Any] = api.info()
    except (OSError, docker.errors.DockerException, requests.exceptions.RequestException) as error:
        api.close()
        raise NoEngine(f"no engine answers at DOCKER_HOST or Docker's default socket: {error}") from error
    if info.get("OSType") != "linux" or "Docker Desktop" in str(info.get("OperatingSystem")):
        api.close()
        raise NoEngine("the engine runs in a virtual machine, where this machine's loopback addresses cannot be used")
    return api


def _try(path: str) -> None:
    """Connect once ourselves: the SDK leaves its socket open where that fails."""
    if not path:
        raise OSError("it is not on this machine, because its address is no Unix socket")
    with socket.socket(socket.AF_UNIX) as trial:
        trial.connect(path)


def socket_path(api: Any) -> str:
    """Return the path of the engine's Unix socket, or nothing where it has another kind of address."""
    return next((str(path) for one in api.adapters.values() if (path := getattr(one, "socket_path", None))), "")
