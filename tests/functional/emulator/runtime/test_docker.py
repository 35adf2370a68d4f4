"""Containers through the Docker API, for real."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import textwrap
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from seatrial.emulator.runtime import HostMount, ImageError
from seatrial.emulator.runtime.choose import docker_available
from seatrial.emulator.runtime.docker import DockerRuntime
from seatrial.images.docker import build_image
from seatrial.images.source import File, Source
from tests.functional.emulator.runtime.engine import base_image, engine
from tests.functional.emulator.runtime.support import (
    Log,
    a_terminal_works,
    answers,
    bundle,
    run_to_end,
    settings,
    spec,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.runtime import ContainerSpec
    from seatrial.emulator.runtime.registry import Registry

DOCKERFILE = """
ARG BASE
FROM $BASE
ENV COLOUR=image SHAPE=round
WORKDIR /app
COPY main.py .
CMD ["python3", "-u", "main.py"]
"""
MAIN = "print('hello from the image')\n"
SERVE = ("python3", "-u", "-m", "http.server", "8000")


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with engine() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", url)
        yield url


@pytest.fixture(scope="module")
def api(host: str) -> Iterator[Any]:
    api = docker.APIClient(host, timeout=300)
    yield api
    api.close()


@pytest.fixture(scope="module")
def built(api: Any) -> Any:
    files = {"Dockerfile": File(DOCKERFILE.encode()), "main.py": File(MAIN.encode())}
    return build_image(Source("v1", files), "Dockerfile", "test", {"BASE": base_image(api)}, lambda _: None)


@pytest.fixture(scope="module")
def image(built: Any, registry: Registry) -> str:
    digest = built.push(f"{registry.host}/app", "AWS", registry.password)
    return f"{registry.host}/app@{digest}"


@pytest.fixture(scope="module")
def service() -> Iterator[int]:
    """A server on this machine's loopback, as the emulator's API and databases are; its port."""

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from the host")

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def runtime(place: Path, registry: Registry, service: int, host: str) -> Iterator[DockerRuntime]:
    runtime = DockerRuntime(settings(place / "state"), registry, lambda: [("127.0.0.1", service)])
    yield runtime
    runtime.shutdown()


def ours(api: Any, runtime: DockerRuntime) -> list[Any]:
    found: list[Any] = api.containers(all=True, filters={"label": f"seatrial.emulator={runtime._emulator}"})
    return found


def serving(what: ContainerSpec) -> bytes | None:
    try:
        with urllib.request.urlopen(f"http://{what.address}:8000/", timeout=5) as answer:
            content: bytes = answer.read()
            return content
    except OSError:
        return None


def test_an_engine_answers(host: str) -> None:
    assert docker_available() is None


def test_what_keeps_an_engine_from_being_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert "no engine answers" in (docker_available() or "")


def test_a_pushed_image_runs_with_its_own_command(runtime: DockerRuntime, image: str, api: Any) -> None:
    assert run_to_end(runtime, spec(image)) == (0, ["hello from the image"])
    assert ours(api, runtime) == []


def test_a_second_push_is_none(built: Any, registry: Registry, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")  # no engine is asked
    assert image.endswith(built.push(f"{registry.host}/app", "AWS", registry.password))


def test_output_exit_code_and_environment(runtime: DockerRuntime, image: str) -> None:
    script = "echo $COLOUR $SHAPE $SECRET; pwd; printf rest; echo problem >&2; exit 7"
    what = spec(image, "sh", "-c", script, environment={"COLOUR": "task", "SECRET": "s3cret"})
    code, lines = run_to_end(runtime, what)
    assert (code, sorted(lines)) == (7, sorted(["task round s3cret", "/app", "problem", "rest"]))


def test_entry_point_directory_and_user_of_the_specification(runtime: DockerRuntime, image: str) -> None:
    what = spec(image, "pwd; id -u", entry_point=["sh", "-c"], working_directory="/tmp", user="65534")
    assert run_to_end(runtime, what) == (0, ["/tmp", "65534"])


def test_the_task_listens_on_its_address_and_reaches_this_machines_services(
    runtime: DockerRuntime, image: str, service: int, api: Any
) -> None:
    log = Log()
    web = spec(image, *SERVE, task_id="served", ports=[8000])
    container = runtime.start(web, log)
    assert b"main.py" in until(lambda: serving(web), "the task answers")
    assert not answers("127.0.0.1", 8000)
    fetch = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
    host_url, own_url = f"http://127.0.0.1:{service}/", "http://localhost:8000/"
    assert container.run(["python3", "-c", fetch, host_url], 60) == 0
    sidecar = spec(image, "python3", "-c", fetch, host_url, task_id="served", name="sidecar", address=web.address)
    assert run_to_end(runtime, sidecar) == (0, ["hello from the host"])
    sidecar = spec(image, "python3", "-c", fetch, own_url, task_id="served", name="sidecar", address=web.address)
    code, lines = run_to_end(runtime, sidecar)
    assert (code, "main.py" in "".join(lines)) == (0, True)
    assert len(ours(api, runtime)) == 2  # the server and the task's network
    container.kill()
    container.close()
    assert ours(api, runtime) == []
    assert not answers(web.address, 8000)


def test_two_tasks_have_the_same_port(runtime: DockerRuntime, image: str) -> None:
    tasks = [spec(image, *SERVE, task_id=f"twin{number}", ports=[8000]) for number in range(2)]
    containers = [runtime.start(task, Log()) for task in tasks]
    for task in tasks:
        until(lambda task=task: serving(task), "the task answers")  # type: ignore[misc]  # bound now
    for container in containers:
        container.kill()
        container.close()


def test_a_service_made_later_is_reached_by_tasks_that_run(
    place: Path, registry: Registry, image: str, service: int
) -> None:
    made: list[tuple[str, int]] = []
    runtime = DockerRuntime(settings(place / "later"), registry, lambda: made)
    container = runtime.start(spec(image, "sleep", "600"), Log())
    fetch = ["python3", "-c", f"import urllib.request as r; r.urlopen('http://127.0.0.1:{service}/')"]
    assert container.run(fetch, 60) == 1
    made.append(("127.0.0.1", service))
    runtime.start(spec(image, "true", task_id="other"), Log()).close()
    until(lambda: container.run(fetch, 60) == 0, "the service answers inside")
    runtime.shutdown()
    assert container.poll() is not None or until(lambda: container.poll() is not None, "the end is seen")
    container.close()  # whoever watches the task is told of its end only now
    runtime.shutdown()  # and what stops the emulator calls it once more


def test_stop_waits_for_the_main_process(runtime: DockerRuntime, image: str) -> None:
    source = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("asked"), sys.exit(3)))
        print("ready")
        time.sleep(600)
    """
    log = Log()
    container = runtime.start(spec(image, "python3", "-u", "-c", textwrap.dedent(source)), log)
    log.wait_for("ready")
    assert container.poll() is None
    assert container.stop(60) == 3
    assert container.stop(60) == 3
    container.close()
    assert log.lines == ["ready", "asked"]


def test_what_ignores_sigterm_is_killed(runtime: DockerRuntime, image: str) -> None:
    log = Log()
    container = runtime.start(spec(image, "sh", "-c", "trap '' TERM; echo ready; sleep 600 & wait; wait"), log)
    log.wait_for("ready")
    assert container.stop(0.1) == 137
    container.close()


def test_commands_run_inside(runtime: DockerRuntime, image: str) -> None:
    container = runtime.start(spec(image, "sleep", "600", environment={"COLOUR": "blue"}), Log())
    assert container.run(["sh", "-c", "test $COLOUR = blue"], 60) == 0
    assert container.run(["sh", "-c", "exit 9"], 60) == 9
    assert container.run(["no-such-program"], 60) in (126, 127)
    assert container.run(["sleep", "3"], 0.05) == 124
    container.kill()
    container.close()
    assert container.run(["true"], 60) == 126


def test_a_person_has_a_terminal_inside(runtime: DockerRuntime, image: str) -> None:
    container = runtime.start(spec(image, "sleep", "600", environment={"COLOUR": "blue"}), Log())
    try:
        a_terminal_works(container)
    finally:
        container.kill()
        container.close()


def test_a_command_that_cannot_start_is_an_error(runtime: DockerRuntime, image: str, api: Any) -> None:
    with pytest.raises(OSError, match="no-such-program"):
        runtime.start(spec(image, "no-such-program"), Log())
    assert ours(api, runtime) == []


def test_a_volume_is_shared_by_the_containers_of_a_task(runtime: DockerRuntime, image: str, api: Any) -> None:
    write, reading = [HostMount("data", "/data")], [HostMount("data", "/srv", read_only=True)]
    keeper = runtime.start(spec(image, "sleep", "600", mounts=write), Log())
    assert run_to_end(runtime, spec(image, "sh", "-c", "echo hello > /data/a", mounts=write)) == (0, [])
    code, lines = run_to_end(runtime, spec(image, "sh", "-c", "cat /srv/a; touch /srv/b", mounts=reading))
    assert (code, lines[0]) == (1, "hello")
    keeper.kill()
    keeper.close()
    assert not api.volumes(filters={"label": f"seatrial.emulator={runtime._emulator}"})["Volumes"]


def test_a_read_only_root(runtime: DockerRuntime, image: str) -> None:
    assert run_to_end(runtime, spec(image, "touch", "/app/x", read_only_root=True))[0] == 1


def test_secrets_are_on_no_command_line(runtime: DockerRuntime, image: str) -> None:
    log = Log()
    command = "import os; print(open('/proc/1/cmdline').read()); input()"
    container = runtime.start(spec(image, "python3", "-u", "-c", command, environment={"PASSWORD": "hush-hush"}), log)
    log.wait_for("proc")
    lines = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "hush-hush" not in lines
    container.kill()
    container.close()


@pytest.mark.parametrize("name", ["app:absent", "nowhere:1"])
def test_a_missing_image_is_told_in_the_words_of_ecs(runtime: DockerRuntime, registry: Registry, name: str) -> None:
    image = f"{registry.host}/{name}"
    with pytest.raises(ImageError) as caught:
        runtime.pull(image)
    assert str(caught.value) == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )


def test_a_bundle_is_refused(runtime: DockerRuntime, registry: Registry) -> None:
    with pytest.raises(ImageError, match="source bundle"):
        runtime.pull(bundle(registry, {"main.py": ""}, name="bundle:1"))


OWNER = """
    import sys, threading
    from pathlib import Path
    from seatrial.emulator.runtime.docker import DockerRuntime
    from seatrial.emulator.runtime.registry import Registry
    from tests.functional.emulator.runtime.support import settings, spec
    place, image = Path(sys.argv[1]), sys.argv[2]
    registry = Registry(place / "registry")
    runtime = DockerRuntime(settings(place / "owned"), registry, lambda: [])
    runtime.start(spec(registry.host + "/" + image, "sleep", "600", ports=[8000]), print)
    print(runtime._emulator, flush=True)
    threading.Event().wait()
"""


def test_containers_do_not_outlive_a_killed_owner(place: Path, image: str, api: Any) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(place), image.partition("/")[2]],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
    )
    assert owner.stdout is not None
    emulator = owner.stdout.readline().strip()
    wanted = {"label": f"seatrial.emulator={emulator}"}
    assert len(api.containers(filters=wanted)) == 2
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not api.containers(all=True, filters=wanted), "the containers are removed")


def test_what_is_left_is_removed_at_the_next_start(place: Path, registry: Registry, image: str, api: Any) -> None:
    runtime = DockerRuntime(settings(place / "left"), registry, list)
    label = {"seatrial.emulator": runtime._emulator}
    left = api.create_container(image="localhost/seatrial/network-1", command=["x"], labels=label)["Id"]
    runtime._gateway.close()
    again = DockerRuntime(settings(place / "left"), registry, list)
    assert left not in [one["Id"] for one in api.containers(all=True)]
    again.shutdown()
    runtime.shutdown()
