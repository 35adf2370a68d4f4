"""Tasks as plain processes: the embedded default, for machines without a container engine.

What a container gives and how it is stood in for:

* *root file system*: the image's own files, unpacked once and shared by its tasks, which by convention do not write
  there. Absolute paths below the working directory and of shared volumes are translated in the command and in the
  image's own variables (not in the task's). ``HOME`` and ``TMPDIR`` are the container's own.
* *base image*: a Python environment made from the requirements that the image names, and this machine's programs.
* *environment*: exactly the image's and the specification's variables; nothing of the emulator's.
* *PID namespace*: a supervisor, see :mod:`seatrial.emulator.runtime.supervisor`.
* *network namespace*: the task's own loopback address, see :mod:`seatrial.emulator.runtime.task_address`.

* *memory limit*: the supervisor measures, and kills the largest process when the tree uses more than it may.

Not imitated: ``user`` (all run as the emulator's), ``read_only_root``, CPU limits.
"""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
import threading
from collections import deque
from pathlib import Path
from signal import SIGTERM, Signals
from typing import TYPE_CHECKING

from seatrial.emulator.addresses import private_address
from seatrial.emulator.runtime import ImageError, unpacked
from seatrial.emulator.runtime.environments import Environments
from seatrial.emulator.runtime.prepared import Prepared
from seatrial.emulator.runtime.reference import cannot_pull, is_ours, parse, resolve
from seatrial.emulator.runtime.supervised import CANNOT_RUN, Order, Supervised
from seatrial.emulator.runtime.task_address import curl_configuration, rewrite_listen, rewrite_reach
from seatrial.emulator.runtime.terminal import ProcessTerminal
from seatrial.emulator.runtime.unpacked import Places, Unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.emulator.runtime import ContainerSpec, LogSink
    from seatrial.emulator.runtime.registry import Registry
    from seatrial.emulator.runtime.store import Manifest
    from seatrial.emulator.settings import EmulatorSettings

_LAST_LINES = 12


class ProcessRuntime:
    """See :class:`seatrial.emulator.runtime.Runtime`. Images come from ``registry`` only."""

    name = "process"

    def __init__(self, settings: EmulatorSettings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._images = settings.state / "images"
        self._volumes = settings.state / "volumes"
        self._environments = Environments(settings.state.parent / "environments")
        self._prepared = Prepared(settings.state.parent / "images")
        self._lock = threading.Lock()
        self._unpacking = threading.Lock()
        self._ready: dict[str, Unpacked] = {}
        self._alive: set[ProcessContainer] = set()

    def pull(self, image: str) -> None:
        """See :meth:`seatrial.emulator.runtime.Runtime.pull`."""
        self._image(image)

    def start(self, spec: ContainerSpec, log: LogSink) -> ProcessContainer:
        """See :meth:`seatrial.emulator.runtime.Runtime.start`. The image is pulled if it has not been."""
        image = self._image(spec.image)
        container = ProcessContainer(spec, image, self._mounted(spec, image), log, self._closed)
        with self._lock:
            self._alive.add(container)
        return container

    def shutdown(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Runtime.shutdown`."""
        with self._lock:
            left = list(self._alive)
        for container in left:
            container.kill()
        for container in left:
            container.close()

    def _image(self, name: str) -> Unpacked:
        reference = parse(name)
        if not is_ours(reference, self._registry, self._settings):
            raise cannot_pull(name, "this emulator runs plain processes, from images of its own registry only")
        manifest = resolve(name, reference, self._registry)
        ready = self._ready.get(manifest.digest)
        if ready is not None:
            return ready
        with self._unpacking:
            if manifest.digest not in self._ready:
                self._ready[manifest.digest] = self._unpacked(name, manifest)
        return self._ready[manifest.digest]

    def _unpacked(self, name: str, manifest: Manifest) -> Unpacked:
        """Return this emulator's own copy of the prepared image: what tasks write into it stays with this run."""
        config = unpacked.configuration(self._registry.store, manifest, name)
        digest = manifest.digest.removeprefix("sha256:")

        def make(home: Path) -> None:
            root = unpacked.unpack(self._registry.store, manifest, home)
            image = self._with_environment(Unpacked(root, config, python=home))
            image.place(image.working_directory).mkdir(parents=True, exist_ok=True)
            _prepare(image)

        root = self._images / digest / "root"
        shutil.rmtree(root.parent, ignore_errors=True)
        shutil.copytree(self._prepared.ready(digest, make) / "root", root, symlinks=True)
        return self._with_environment(Unpacked(root, config, python=root))

    def _with_environment(self, image: Unpacked) -> Unpacked:
        path = image.labels.get(unpacked.REQUIREMENTS)
        requirements = image.place(path) if path else None
        if requirements is not None and not requirements.is_file():
            raise ImageError(f"CannotPullContainerError: the image has no requirements file {path}")
        identity = image.labels.get(unpacked.REQUIREMENTS_DIGEST, "")
        return Unpacked(image.root, image.config, self._environments.ready(requirements, identity))

    def _mounted(self, spec: ContainerSpec, image: Unpacked) -> Places:
        """Return the paths of the image and of the task's volumes, which are made where they do not exist."""
        known = dict(image.places().known)
        for mount in spec.mounts:
            volume = self._volumes / spec.task_id / mount.volume
            volume.mkdir(parents=True, exist_ok=True)
            known[mount.path.rstrip("/")] = volume
        return Places(known)

    def _closed(self, container: ProcessContainer) -> None:
        with self._lock:
            self._alive.discard(container)
            last = all(other.task_id != container.task_id for other in self._alive)
        if last:
            shutil.rmtree(self._volumes / container.task_id, ignore_errors=True)


class ProcessContainer:
    """See :class:`seatrial.emulator.runtime.Container`."""

    def __init__(
        self,
        spec: ContainerSpec,
        image: Unpacked,
        places: Places,
        log: LogSink,
        closed: Callable[[ProcessContainer], None],
    ) -> None:
        self.task_id = spec.task_id
        self._closed = closed
        self._address = spec.address
        self._places = places
        self._loopback = private_address(spec.address)
        self._ports = frozenset([*spec.ports, *spec.task_ports])
        stop = image.config.get("StopSignal") or "SIGTERM"
        self._stop_signal = Signals[stop] if stop in Signals.__members__ else SIGTERM
        self._scratch = scratch = Path(tempfile.mkdtemp(prefix="seatrial-"))
        argv = [
            rewrite_listen(places.localise(word), spec.address) for word in image.argv(spec.entry_point, spec.command)
        ]
        if not argv:
            raise OSError("unable to start container process: no command specified")
        directory = image.place(spec.working_directory or image.working_directory)
        directory.mkdir(parents=True, exist_ok=True)
        environment = (
            _own_directories(scratch)
            | image.environment()
            | dict(spec.environment)
            | {
                "PATH": image.environment()["PATH"],
                "SEATRIAL_TASK_ADDRESS": self._address,
                "SEATRIAL_TASK_LOOPBACK": self._loopback,
                "SEATRIAL_TASK_PORTS": ",".join(str(port) for port in sorted(self._ports)),
            }
        )
        self._tree = _begin(Order(argv, environment, directory, scratch, spec.memory), log)

    @property
    def out_of_memory(self) -> bool:
        """See :meth:`seatrial.emulator.runtime.Container.out_of_memory`."""
        return self._tree.out_of_memory

    @property
    def runtime_id(self) -> str:
        """The process id of the container's main process."""
        return str(self._tree.pid)

    def poll(self) -> int | None:
        """See :meth:`seatrial.emulator.runtime.Container.poll`."""
        return self._tree.code if self._tree.exited.is_set() else None

    def stop(self, timeout: float) -> int:
        """See :meth:`seatrial.emulator.runtime.Container.stop`. The image's STOPSIGNAL takes SIGTERM's place."""
        self._tree.signal(self._stop_signal)
        if not self._tree.exited.wait(timeout):
            self.kill()
        return self._code()

    def kill(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Container.kill`."""
        self._tree.kill()

    def run(self, command: Sequence[str], timeout: float) -> int:
        """See :meth:`seatrial.emulator.runtime.Container.run`; localhost in it means the task's own.

        Python knows by itself and curl is told in its configuration, so both send ``Host: localhost`` as they would in
        a container. For any other program the words of the command are changed.
        """
        if self._tree.exited.is_set():
            return CANNOT_RUN
        return self._tree.run(self._inside(command), {"CURL_HOME": str(self._scratch)}, timeout)

    def execute(self, command: Sequence[str]) -> ProcessTerminal:
        """See :meth:`seatrial.emulator.runtime.Container.execute`; localhost in it is as in :meth:`run`."""
        if self._tree.exited.is_set():
            raise OSError("the container has ended")
        command = [self._places.localise(word) for word in self._inside(command)]
        return ProcessTerminal(self._tree, command, {"CURL_HOME": str(self._scratch), "TERM": "xterm-256color"})

    def _inside(self, command: Sequence[str]) -> Sequence[str]:
        """Return a command in which localhost means the task's own."""
        (self._scratch / ".curlrc").write_text(curl_configuration(self._ports, self._address, self._loopback))
        if any(name in word for word in command for name in ("curl", "python")):
            return command
        return [rewrite_reach(word, self._ports, self._address, self._loopback) for word in command]

    def close(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Container.close`."""
        self._tree.join()
        self._closed(self)

    def _code(self) -> int:
        self._tree.exited.wait()
        assert self._tree.code is not None
        return self._tree.code


def _prepare(image: Unpacked) -> None:
    """Run the image's prepare commands, with its own variables and nothing else, as RUN lines would."""
    for command in json.loads(image.labels.get(unpacked.PREPARE, "[]")):
        scratch = Path(tempfile.mkdtemp(prefix="seatrial-"))
        last: deque[str] = deque(maxlen=_LAST_LINES)
        environment = _own_directories(scratch) | image.environment()
        argv = [image.places().localise(word) for word in command]
        try:
            tree = _begin(Order(argv, environment, image.place(image.working_directory), scratch), last.append)
        except OSError as error:
            raise ImageError(f"CannotPullContainerError: prepare command {shlex.join(command)}: {error}") from error
        tree.join()
        if tree.code != 0:
            first = f"CannotPullContainerError: prepare command {shlex.join(command)} ended with exit code {tree.code}:"
            raise ImageError("\n".join([first, *last]))


def _begin(order: Order, log: LogSink) -> Supervised:
    """Start a tree; an error is told in the words of the container runtime (runc)."""
    try:
        return Supervised(order, log)
    except FileNotFoundError as error:
        where = "no such file or directory" if "/" in order.argv[0] else "executable file not found in $PATH"
        text = f'unable to start container process: exec: "{order.argv[0]}": {where}'
        raise FileNotFoundError(error.errno, text) from error
    except OSError as error:
        reason = (error.strerror or "").lower()
        text = f'unable to start container process: exec: "{order.argv[0]}": {reason}'
        raise OSError(error.errno, text) from error


def _own_directories(scratch: Path) -> dict[str, str]:
    places = {"HOME": scratch / "home", "TMPDIR": scratch / "tmp"}
    for place in places.values():
        place.mkdir()
    return {name: str(place) for name, place in places.items()}
