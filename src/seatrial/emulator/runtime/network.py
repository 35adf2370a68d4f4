"""The container that holds a task's network: what ECS's own pause container is to a task under awsvpc.

All containers of the task join its network namespace, so they share one loopback and one set of ports, which are
published on the task's address on this machine. Inside runs :mod:`seatrial.emulator.runtime.relay`, so that the
emulator's API, databases and caches, which listen on this machine's loopback only, answer on the task's loopback
under the same addresses. No bridge address takes part, and neither the tasks' images nor their configuration do.

The image is empty: the program runs on this machine's own Python, mounted read-only. Nothing has to be pulled, and
the container needs no privilege.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator.runtime import relay
from seatrial.emulator.runtime.sweep import NETWORK, ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.runtime import ContainerSpec
    from seatrial.emulator.runtime.gateway import Gateway

IMAGE = "localhost/seatrial/network-1"  # the number in the name: Podman's import makes every tag ``latest``
_PROGRAM = "/seatrial/relay.py"
_READY_SECONDS = 60


def start(api: Any, gateway: Gateway, spec: ContainerSpec, labels: Mapping[str, str]) -> str:
    """Start the container of a task and return its id once all that is reachable answers inside.

    Raises ``OSError``. ``spec`` is the first container that wants it.
    """
    _make_image(api)
    ready = gateway.expect(spec.task_id)
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    published = sorted({*spec.ports, *spec.task_ports})
    container = api.create_container(
        IMAGE,
        command=[str(python), "-I", "-S", _PROGRAM, spec.task_id],
        labels=dict(labels) | {ROLE: NETWORK},
        ports=published,
        host_config=api.create_host_config(
            binds=_mounts(gateway.directory),
            port_bindings={port: (spec.address, port) for port in published},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges", "label=disable"],
            read_only=True,
            # Load balancers listen on 80 and 443; Docker sets this itself, Podman does not.
            sysctls={"net.ipv4.ip_unprivileged_port_start": "0"},
        ),
    )
    api.start(container["Id"])
    if not ready.wait(_READY_SECONDS):
        output = api.logs(container["Id"]).decode(errors="replace").strip()
        api.remove_container(container["Id"], force=True)
        raise OSError(f"the task's network is not ready: {output or 'no output'}")
    return str(container["Id"])


def _make_image(api: Any) -> None:
    from docker.errors import ImageNotFound

    try:
        api.inspect_image(IMAGE)
    except ImageNotFound:
        empty = io.BytesIO()
        tarfile.open(fileobj=empty, mode="w").close()
        api.import_image_from_data(empty.getvalue(), repository=IMAGE)


def _mounts(socket: Path) -> list[str]:
    """Return the socket and what this machine's Python is made of, as Docker's ``source:target:mode``."""
    machine = [Path(sys.base_prefix).resolve(), *map(Path, ("/usr", "/lib", "/lib64"))]
    binds = {str(path): str(path) for path in machine if path.is_dir()}
    return [f"{source}:{target}:ro" for source, target in binds.items()] + [
        f"{relay.__file__}:{_PROGRAM}:ro",
        f"{socket}:/seatrial/socket:ro",
    ]
