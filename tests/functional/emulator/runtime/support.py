"""What the tests of the task runtimes share: a registry, images pushed to it, and settings in a temporary place."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import tarfile
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.emulator.addresses import Addresses, lease_block
from seatrial.emulator.runtime import ContainerSpec
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.emulator.runtime import Container, Runtime, Terminal
    from seatrial.emulator.runtime.registry import Registry

DEADLINE = 60.0
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

#: Shared by every test of a session, as it is by every emulator of a user: environments are made once.
LEASE = lease_block()
ADDRESSES = Addresses(LEASE.block)


def settings(state: Path) -> EmulatorSettings:
    state.mkdir(parents=True, exist_ok=True)
    return EmulatorSettings(name="test", state=state, port=1, block=LEASE.block)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition with a deadline; return its first true value."""
    end = time.monotonic() + DEADLINE
    pause = threading.Event()
    while time.monotonic() < end:
        if found := condition():
            return found
        pause.wait(0.01)
    raise AssertionError(f"not within {DEADLINE:.0f} s: {what}")


def layer(files: Mapping[str, str]) -> bytes:
    """Return a tar with the files; a name that ends in .sh is executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            info.mode = 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def push(registry: Registry, name: str, layers: Sequence[bytes], config: Mapping[str, Any]) -> str:
    """Put an image into the registry's store; return its digest. ``name`` is ``repository:tag``."""
    repository, _, tag = name.partition(":")
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]},
    }
    body = json.dumps(document).encode()
    for blob in (*layers, body):
        upload = registry.store.uploads / hashlib.sha256(blob).hexdigest()
        upload.write_bytes(blob)
        registry.store.adopt_blob(upload, digest(blob))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(body),
            "size": len(body),
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(one), "size": len(one)}
            for one in layers
        ],
    }
    return registry.put_manifest(repository, json.dumps(manifest).encode(), MANIFEST, tag).digest


def bundle(
    registry: Registry,
    files: Mapping[str, str],
    *,
    name: str = "app:1",
    labels: Mapping[str, str] | None = None,
    **config: Any,
) -> str:
    """Push a source bundle with ``files`` in /app and return the image's full name."""
    content = layer({f"app/{path}": text for path, text in files.items()})
    all_labels = {"seatrial.bundle": "1"} | dict(labels or {})
    push(registry, name, [content], {"WorkingDir": "/app", "Labels": all_labels} | config)
    return f"{registry.host}/{name}"


def program(registry: Registry, source: str, name: str = "app:1") -> str:
    return bundle(registry, {"main.py": textwrap.dedent(source)}, name=name, Cmd=["python", "-u", "main.py"])


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def spec(image: str, *command: str, **more: Any) -> ContainerSpec:
    values: dict[str, Any] = {
        "task_id": "task1",
        "name": "app",
        "address": ADDRESSES.task(),
        "command": command or None,
    }
    return ContainerSpec(image=image, **(values | more))


class Log:
    """A log sink that can be waited on."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def wait_for(self, text: str) -> str:
        """Return the first line that contains ``text``."""
        return str(
            until(lambda: next((line for line in self.lines if text in line), None), f"{text!r} in {self.lines}")
        )


def run_to_end(runtime: Runtime, what: ContainerSpec) -> tuple[int, list[str]]:
    """Start a container, wait for its own end and return exit code and output."""
    log = Log()
    container = runtime.start(what, log)
    until(lambda: container.poll() is not None, "the container ends")
    code = container.poll()
    container.close()
    assert code is not None
    return code, log.lines


def a_terminal_works(container: Container) -> None:
    """What both runtimes promise of a command on a terminal. The container has COLOUR=blue."""
    terminal = container.execute(["sh"])
    terminal.resize(31, 97)
    terminal.write(b"tty; stty size; echo $COLOUR $TERM; python3 -c 'print(6 * 7)'\n")
    terminal.write(b"exit\n")
    text = _read_all(terminal)
    assert "/dev/pts/" in text
    assert "31 97\r\n" in text
    assert "blue xterm-256color\r\n" in text
    assert "\r\n42\r\n" in text
    terminal.close()
    terminal.write(b"nobody hears this\n")
    terminal.close()

    terminal = container.execute(
        ["sh", "-c", "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.1; done"]
    )
    seen = b""
    while b"ready" not in seen:
        seen += terminal.read()
    terminal.write(b"\x03")  # Ctrl-C
    assert "interrupted" in _read_all(terminal)
    terminal.close()


def _read_all(terminal: Terminal) -> str:
    return b"".join(iter(terminal.read, b"")).decode()


def answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=5):
            return True
    except OSError:
        return False


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False
