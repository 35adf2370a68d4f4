"""What a task's containers run in. The contract is here; ``process`` and ``docker`` keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LogSink = Callable[[str], None]


class ImageError(Exception):
    """The image cannot be had. The text is in the words of ECS: ``CannotPullContainerError: ...``."""


@dataclass(frozen=True)
class HostMount:
    """A volume shared between the containers of one task."""

    volume: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """One container to start, everything resolved: secrets are values, overrides are merged.

    ``command`` and ``entry_point`` are None where the image's own apply. ``ports`` are container ports; the container
    is reached at ``address``:port. ``task_ports`` are those of all containers of the task, which share one address and
    one loopback as under awsvpc (empty: only ``ports``). ``stop_signal_timeout`` is not here: the caller passes it to
    :meth:`Container.stop`. ``memory`` is the most that it may use, in MiB.
    """

    task_id: str
    name: str
    image: str
    address: str
    command: Sequence[str] | None = None
    entry_point: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()
    task_ports: Sequence[int] = ()
    working_directory: str | None = None
    user: str | None = None
    mounts: Sequence[HostMount] = ()
    read_only_root: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    memory: int | None = None


class Terminal(Protocol):
    """A command in a container, on a terminal of its own (ECS Exec). Reading and writing may be on two threads."""

    def read(self) -> bytes:
        """Wait for output and return it; nothing when the command has ended and all was read."""
        ...

    def write(self, data: bytes) -> None:
        """Type. Nothing happens when the command has ended."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command how large the window is."""
        ...

    def close(self) -> None:
        """Hang up: end the command where it has not ended, and free what it holds. Safe to call twice."""
        ...


class Container(Protocol):
    """A container that was started."""

    @property
    def runtime_id(self) -> str:
        """Process id or container id."""
        ...

    @property
    def out_of_memory(self) -> bool:
        """Whether something of it was killed because it used more memory than it may."""
        ...

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs. A death by signal N is 128 + N, as Docker reports it."""
        ...

    def stop(self, timeout: float) -> int:
        """SIGTERM, wait up to ``timeout`` seconds, SIGKILL the whole tree; return the exit code. Safe to call twice."""
        ...

    def kill(self) -> None:
        """SIGKILL the whole tree at once."""
        ...

    def run(self, command: Sequence[str], timeout: float) -> int:
        """Run a command inside (a container health check) and return its exit code; 124 when the time is up."""
        ...

    def execute(self, command: Sequence[str]) -> Terminal:
        """Start a command inside, on a terminal. Raises ``OSError`` where it cannot start."""
        ...

    def close(self) -> None:
        """Free what the container holds once it has ended (its log is complete when this returns)."""
        ...


class Runtime(Protocol):
    """Where containers run."""

    name: str

    def pull(self, image: str) -> None:
        """Make the image ready. Raises :class:`ImageError` where ECS would say CannotPullContainerError."""
        ...

    def start(self, spec: ContainerSpec, log: LogSink) -> Container:
        """Start a container; ``log`` gets each line of its output. Raises ``OSError`` where the command cannot start.

        ECS says ``CannotStartContainerError`` for that.
        """
        ...

    def shutdown(self) -> None:
        """End everything this runtime ever started and is still alive. A second call finds nothing to do."""
        ...
