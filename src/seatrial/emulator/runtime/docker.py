"""Tasks as containers, through the Docker API (Docker itself, or Podman's compatible socket).

* Images of the emulator's ECR are *loaded* into the engine from the registry's files, see
  :mod:`seatrial.emulator.runtime.archive`; others are pulled by the engine.
* The containers of a task share one network, see :mod:`seatrial.emulator.runtime.network`, and are reached only
  through ports published on the task's loopback address.
* Signals are sent by us and not by ``docker stop``, because that counts in whole seconds.
* Every container and volume carries a label. What a killed emulator leaves is removed at once by a program that waits
  for its end (:mod:`seatrial.emulator.runtime.sweep`), and by the next start at the latest.

Not imitated: CPU and memory limits. A health check's command that runs out of time is left to end by itself: the
API cannot end it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator.runtime import ImageError, archive, network, sweep
from seatrial.emulator.runtime.attach import Attached, DockerTerminal
from seatrial.emulator.runtime.choose import client, socket_path
from seatrial.emulator.runtime.gateway import Gateway
from seatrial.emulator.runtime.reference import cannot_pull, is_ours, parse, resolve
from seatrial.emulator.runtime.unpacked import BUNDLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from seatrial.emulator.runtime import ContainerSpec, LogSink
    from seatrial.emulator.runtime.reference import Reference
    from seatrial.emulator.runtime.registry import Registry
    from seatrial.emulator.settings import EmulatorSettings

_API_SECONDS = 300
_TIMED_OUT = 124
_CANNOT_RUN = 126
_KILLED = 137


class DockerRuntime:
    """See :class:`seatrial.emulator.runtime.Runtime`.

    ``reachable`` gives (host, port) of each service on this machine's loopback that tasks may use under the same
    address: the API, databases, caches, load balancers. Raises :class:`seatrial.emulator.runtime.choose.NoEngine`.
    """

    name = "docker"

    def __init__(
        self, settings: EmulatorSettings, registry: Registry, reachable: Callable[[], Iterable[tuple[str, int]]]
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._api = client(_API_SECONDS)
        self._socket = socket_path(self._api)
        self._emulator = hashlib.sha256(str(settings.state.resolve()).encode()).hexdigest()[:16]
        sweep.sweep(self._socket, self._emulator)
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(sweep.__file__)), self._socket, self._emulator],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._gateway = Gateway(reachable)
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._tasks: dict[str, _Task] = {}

    def pull(self, image: str) -> None:
        """See :meth:`seatrial.emulator.runtime.Runtime.pull`."""
        reference = parse(image)
        if is_ours(reference, self._registry, self._settings):
            with self._loading:
                self._load(image, reference)
        elif not self._has(image):
            self._pull_foreign(image, reference)

    def start(self, spec: ContainerSpec, log: LogSink) -> DockerContainer:
        """See :meth:`seatrial.emulator.runtime.Runtime.start`. The image is pulled if it has not been."""
        from docker.errors import DockerException

        self.pull(spec.image)
        with self._lock:
            task = self._tasks.setdefault(spec.task_id, _Task())
            task.members += 1
        try:
            self._join_network(task, spec)
            return DockerContainer(self._api, self._create(spec, task), log, lambda: self._left(spec.task_id))
        except DockerException as error:
            self._left(spec.task_id)
            raise OSError(_explanation(error)) from error
        except BaseException:
            self._left(spec.task_id)
            raise

    def shutdown(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Runtime.shutdown`."""
        sweep.sweep(self._socket, self._emulator)
        self._gateway.close()
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._watchdog.wait()
        self._api.close()

    def _join_network(self, task: _Task, spec: ContainerSpec) -> None:
        """Make the task's network where this is its first container, and everything reachable answer in it."""
        with task.lock:
            self._gateway.refresh()
            if not task.network:
                task.network = network.start(self._api, self._gateway, spec, self._labels(spec))
                task.ports = {*spec.ports, *spec.task_ports}
            if missing := set(spec.ports) - task.ports:
                raise OSError(f"ports {sorted(missing)} were not among the task's when it started")

    def _create(self, spec: ContainerSpec, task: _Task) -> str:
        binds = []
        for mount in spec.mounts:
            volume = task.volumes.get(mount.volume)
            if volume is None:
                volume = task.volumes[mount.volume] = self._api.create_volume(labels=self._labels(spec))["Name"]
            binds.append(f"{volume}:{mount.path}:{'ro' if mount.read_only else 'rw'}")
        created = self._api.create_container(
            self._name_of(spec.image),
            command=None if spec.command is None else list(spec.command),
            entrypoint=None if spec.entry_point is None else list(spec.entry_point),
            environment=dict(spec.environment),
            working_dir=spec.working_directory,
            user=spec.user,
            labels=dict(spec.labels) | self._labels(spec),
            host_config=self._api.create_host_config(
                network_mode=f"container:{task.network}", binds=binds, read_only=spec.read_only_root
            ),
        )
        return str(created["Id"])

    def _left(self, task_id: str) -> None:
        """Count a container of a task as gone; with the last one go the task's network and volumes."""
        with self._lock:
            task = self._tasks[task_id]
            task.members -= 1
            if task.members:
                return
            del self._tasks[task_id]
        self._gateway.forget(task_id)
        if task.network:
            _remove(self._api, task.network)
        for volume in task.volumes.values():
            self._api.remove_volume(volume, force=True)

    def _labels(self, spec: ContainerSpec) -> dict[str, str]:
        return {sweep.LABEL: self._emulator, "seatrial.task": spec.task_id, "seatrial.container": spec.name}

    # Images

    def _name_of(self, image: str) -> str:
        """Return the name under which the engine knows an image that was pulled."""
        reference = parse(image)
        if not is_ours(reference, self._registry, self._settings):
            return image
        digest = resolve(image, reference, self._registry).digest
        return f"localhost/seatrial/{reference.repository}:{digest.removeprefix('sha256:')}"

    def _load(self, image: str, reference: Reference) -> None:
        name = self._name_of(image)
        if self._has(name):
            return
        manifest = resolve(image, reference, self._registry)
        if self._is_bundle(manifest.parsed()["config"]["digest"]):
            raise ImageError(
                f"CannotPullContainerError: {image} is a source bundle, which holds no operating system: "
                "it runs on an emulator with the process runtime"
            )
        from docker.errors import DockerException

        try:
            with tempfile.TemporaryFile() as file:
                archive.write(self._registry.store, manifest, name, file)
                file.seek(0)
                for event in self._api.load_image(file) or ():
                    if "error" in event:
                        raise cannot_pull(image, str(event["error"]).strip())
        except DockerException as error:
            raise cannot_pull(image, _explanation(error)) from error

    def _is_bundle(self, config: str) -> bool:
        blob = self._registry.store.blob(config)
        said = json.loads(blob.read_bytes()).get("config") if blob else None
        return ((said or {}).get("Labels") or {}).get(BUNDLE) == "1"

    def _has(self, name: str) -> bool:
        from docker.errors import ImageNotFound

        try:
            self._api.inspect_image(name)
        except ImageNotFound:
            return False
        return True

    def _pull_foreign(self, image: str, reference: Reference) -> None:
        from docker.errors import DockerException

        name = f"{reference.host}/{reference.repository}" if reference.host else reference.repository
        try:
            for event in self._api.pull(name, tag=reference.tag_or_digest, stream=True, decode=True):
                if "error" in event:
                    raise cannot_pull(image, str(event["error"]).strip())
        except DockerException as error:
            raise cannot_pull(image, _explanation(error)) from error


@dataclass
class _Task:
    lock: threading.Lock = field(default_factory=threading.Lock)
    network: str = ""
    ports: set[int] = field(default_factory=set)
    volumes: dict[str, str] = field(default_factory=dict)
    members: int = 0


class DockerContainer:
    """See :class:`seatrial.emulator.runtime.Container`."""

    def __init__(self, api: Any, identity: str, log: LogSink, left: Callable[[], None]) -> None:
        self._api = api
        self._id = identity
        self._left: Callable[[], None] | None = left
        self._exited = threading.Event()
        self._exit_code = _KILLED
        self._closing = threading.Lock()
        try:
            stop = api.inspect_container(identity)["Config"].get("StopSignal")
            self._stop_signal = str(stop or "SIGTERM")
            self._engine = socket_path(api)
            path = f"/containers/{identity}/attach?stream=1&stdout=1&stderr=1"
            self._output = Attached(self._engine, path, {})
        except BaseException:
            _remove(api, identity)
            raise
        try:
            api.start(identity)
        except BaseException:
            self._output.close()
            _remove(api, identity)
            raise
        self._thread = threading.Thread(
            target=self._follow, args=(log,), name=f"container-{identity[:12]}", daemon=True
        )
        self._thread.start()

    @property
    def out_of_memory(self) -> bool:
        """See :meth:`seatrial.emulator.runtime.Container.out_of_memory`; memory is no limit here."""
        return False

    @property
    def runtime_id(self) -> str:
        """The container's id in the engine."""
        return self._id

    def poll(self) -> int | None:
        """See :meth:`seatrial.emulator.runtime.Container.poll`."""
        return self._exit_code if self._exited.is_set() else None

    def stop(self, timeout: float) -> int:
        """See :meth:`seatrial.emulator.runtime.Container.stop`. The image's STOPSIGNAL takes SIGTERM's place."""
        self._signal(self._stop_signal)
        if not self._exited.wait(timeout):
            self.kill()
        self._exited.wait()
        return self._exit_code

    def kill(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Container.kill`."""
        self._signal("SIGKILL")

    def run(self, command: Sequence[str], timeout: float) -> int:
        """See :meth:`seatrial.emulator.runtime.Container.run`."""
        from docker.errors import APIError

        try:
            execution = self._api.exec_create(self._id, list(command))["Id"]
            output = Attached(self._engine, f"/exec/{execution}/start", {"Detach": False, "Tty": False})
            with contextlib.closing(output):
                if not output.ends_within(timeout):
                    return _TIMED_OUT
            code = self._api.exec_inspect(execution)["ExitCode"]
        except (APIError, OSError):  # the container has ended, or the program is not in it
            return _CANNOT_RUN
        return _CANNOT_RUN if code is None else int(code)

    def execute(self, command: Sequence[str]) -> DockerTerminal:
        """See :meth:`seatrial.emulator.runtime.Container.execute`."""
        from docker.errors import APIError

        try:
            made = self._api.exec_create(
                self._id, list(command), stdin=True, tty=True, environment={"TERM": "xterm-256color"}
            )
        except APIError as error:
            raise OSError(_explanation(error)) from error
        return DockerTerminal(self._api, self._engine, made["Id"])

    def close(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Container.close`."""
        self._thread.join()
        with self._closing:
            left, self._left = self._left, None
        if left is not None:
            _remove(self._api, self._id)
            left()

    def _signal(self, name: str) -> None:
        from docker.errors import APIError

        if self._exited.is_set():
            return
        try:
            self._api.kill(self._id, name)
        except APIError:
            if self._running():
                raise

    def _running(self) -> bool:
        from docker.errors import NotFound

        try:
            return bool(self._api.inspect_container(self._id)["State"]["Running"])
        except NotFound:
            return False

    def _follow(self, log: LogSink) -> None:
        """Hand on the output; where it ends the container has ended, or is about to."""
        from docker.errors import APIError

        try:
            self._output.pump(log)
            self._output.close()
            state = self._api.inspect_container(self._id)["State"]
            if state["Status"] in ("exited", "stopped", "dead"):
                self._exit_code = int(state["ExitCode"])
            else:
                self._exit_code = int(self._api.wait(self._id, timeout=None)["StatusCode"])
        except APIError:  # it was removed meanwhile, by the shutdown: killed, as it says by default
            self._exit_code = _KILLED
        finally:
            self._exited.set()


def _remove(api: Any, identity: str) -> None:
    from docker.errors import NotFound

    try:
        api.remove_container(identity, force=True, v=True)
    except NotFound:  # the shutdown was faster
        return


def _explanation(error: Any) -> str:
    return str(getattr(error, "explanation", None) or error)
