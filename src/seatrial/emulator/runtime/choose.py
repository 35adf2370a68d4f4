"""Which runtime this machine can offer."""

from __future__ import annotations

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
        api = docker.APIClient(timeout=timeout, **docker.utils.kwargs_from_env())
        info: dict[str, Any] = api.info()
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise NoEngine(f"no engine answers at DOCKER_HOST or Docker's default socket: {error}") from error
    if not socket_path(api):
        api.close()
        raise NoEngine("the engine is not on this machine: its address is no Unix socket")
    if info.get("OSType") != "linux" or "Docker Desktop" in str(info.get("OperatingSystem")):
        api.close()
        raise NoEngine("the engine runs in a virtual machine, where this machine's loopback addresses cannot be used")
    return api


def socket_path(api: Any) -> str:
    """Return the path of the engine's Unix socket, or nothing where it has another kind of address."""
    return next((str(path) for one in api.adapters.values() if (path := getattr(one, "socket_path", None))), "")
