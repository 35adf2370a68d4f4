"""Python environments for the process runtime, one for each set of requirements, shared by emulators and runs.

An environment is made where it will stay, because programs in it carry its path in their first line. A file lock keeps
others out meanwhile, and a marker written last says that it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from seatrial.emulator.runtime import ImageError, task_address

_MARKER = ".seatrial-ready"
_SHIM = "_seatrial_task_address"
_LAST_LINES = 12


class Environments:
    """The cache. ``directory`` is made when it is first needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def ready(self, requirements: Path | None, identity: str) -> Path:
        """Return the environment with ``requirements`` installed, making it where it does not exist yet.

        ``identity`` stands for the content of the requirements. Raises :class:`ImageError` with the installer's last
        lines.
        """
        shim = Path(task_address.__file__).read_bytes()
        key = hashlib.sha256(f"{identity}\0{sys.version}\0{sysconfig.get_platform()}\0".encode() + shim).hexdigest()
        home = self._directory / key[:32]
        if (home / _MARKER).exists():
            return home
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / f"{home.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / _MARKER).exists():
                shutil.rmtree(home, ignore_errors=True)
                self._make(home, requirements)
                _add_shim(home, shim)
                (home / _MARKER).touch()
        return home

    def _make(self, home: Path, requirements: Path | None) -> None:
        python = getattr(sys, "_base_executable", sys.executable)  # not the virtual environment's own
        uv = _uv()
        if uv is not None:
            _call([uv, "venv", "--quiet", "--python", python, str(home)], home.parent)
        else:
            _call([python, "-m", "venv", str(home)], home.parent)
        if requirements is None:
            return
        if uv is not None:
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(home / "bin" / "python")]
        else:
            install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        _call([*install, "--requirement", requirements.name], requirements.parent)


def _uv() -> str | None:
    found = shutil.which("uv")
    if found is None and importlib.util.find_spec("uv") is not None:
        import uv

        found = str(uv.find_uv_bin())
    return found


def _call(command: list[str], directory: Path) -> None:
    """Run an installer with the emulator's own environment, which is where proxies and package indexes are set."""
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        raise ImageError("\n".join(["CannotPullContainerError: the Python environment cannot be made:", *lines]))


def _add_shim(home: Path, shim: bytes) -> None:
    packages = next((home / "lib").glob("python*/site-packages"))
    (packages / f"{_SHIM}.py").write_bytes(shim)
    (packages / "seatrial_task.pth").write_text(f"import {_SHIM}; {_SHIM}.install()\n")
