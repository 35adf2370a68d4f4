"""Containers as plain processes, for real: trees, signals, output, addresses, environments."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.addresses import private_address
from seatrial.emulator.runtime import HostMount, ImageError
from seatrial.emulator.runtime.process import ProcessRuntime
from seatrial.emulator.runtime.registry import Registry
from tests.functional.runtime_support import (
    Log,
    alive,
    answers,
    bundle,
    layer,
    push,
    run_to_end,
    settings,
    spec,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = """
    import http.server, sys
    host, port = sys.argv[1], int(sys.argv[2])
    server = http.server.HTTPServer((host, port), http.server.SimpleHTTPRequestHandler)
    print("listening", flush=True)
    server.serve_forever()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="module")
def registry(place: Path) -> Iterator[Registry]:
    registry = Registry(place / "registry")
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture
def runtime(place: Path, registry: Registry) -> Iterator[ProcessRuntime]:
    runtime = ProcessRuntime(settings(place / "state"), registry)
    yield runtime
    runtime.shutdown()


def program(registry: Registry, source: str, name: str = "app:1") -> str:
    return bundle(registry, {"main.py": textwrap.dedent(source)}, name=name, Cmd=["python", "-u", "main.py"])


def test_output_comes_line_by_line_from_both_streams(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "import os; os.write(1, b'out\\n'); os.write(2, b'err\\xff\\n'); os.write(1, b'rest')")
    assert run_to_end(runtime, spec(image)) == (0, ["out", "err\ufffd", "rest"])


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["python", "-c", "raise SystemExit(7)"], 7),
        (["sh", "-c", "kill -SEGV $$"], 128 + signal.SIGSEGV),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["true"], 0),
    ],
)
def test_exit_codes_are_dockers(runtime: ProcessRuntime, registry: Registry, command: list[str], code: int) -> None:
    assert run_to_end(runtime, spec(program(registry, ""), *command))[0] == code


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (["no-such-program"], 'exec: "no-such-program": executable file not found in $PATH'),
        (["/no/such/program"], 'exec: "/no/such/program": no such file or directory'),
        (["/app/main.py"], "permission denied"),
    ],
)
def test_a_command_that_cannot_start_is_an_error(
    runtime: ProcessRuntime, registry: Registry, command: list[str], text: str
) -> None:
    with pytest.raises(OSError, match="unable to start container process") as caught:
        runtime.start(spec(program(registry, ""), *command), Log())
    assert text in str(caught.value)
    assert caught.value.errno in (errno.ENOENT, errno.EACCES)


def test_stop_asks_the_main_process_and_waits_for_it(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        """
        import os, signal, sys, time
        child = os.fork()
        def stop(number, frame):
            os.write(1, b"asked main\\n" if child else b"asked child\\n")
            sys.exit(3)
        signal.signal(signal.SIGTERM, stop)
        os.write(1, b"ready\\n")
        while True:
            time.sleep(60)
        """,
    )
    log = Log()
    container = runtime.start(spec(image), log)
    until(lambda: log.lines.count("ready") == 2, "both processes are ready")
    assert container.poll() is None
    assert container.stop(30) == 3
    assert container.stop(30) == 3
    container.close()
    assert log.lines == ["ready", "ready", "asked main"]


def test_the_images_stop_signal_is_used(runtime: ProcessRuntime, registry: Registry) -> None:
    source = """
        import signal, sys, time
        signal.signal(signal.SIGQUIT, lambda *_: sys.exit(5))
        print("ready", flush=True)
        time.sleep(600)
    """
    image = bundle(
        registry,
        {"main.py": textwrap.dedent(source)},
        name="quit:1",
        Cmd=["python", "main.py"],
        StopSignal="SIGQUIT",
    )
    log = Log()
    container = runtime.start(spec(image), log)
    log.wait_for("ready")
    assert container.stop(30) == 5
    container.close()


def test_what_ignores_sigterm_is_killed(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        time.sleep(600)
        """,
    )
    log = Log()
    container = runtime.start(spec(image), log)
    log.wait_for("ready")
    assert container.stop(0.1) == 137
    container.close()


FAMILY = """
    import os, time
    tell = lambda: os.write(1, f"pid {os.getpid()}\\n".encode())
    tell()
    if os.fork() == 0:                       # a child that left the session and was left by its parent
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        tell()
        time.sleep(600)
    os.wait()
    for _ in range(2):                       # workers that fork as well
        if os.fork() == 0:
            os.fork()
            tell()
            time.sleep(600)
    time.sleep(600)
"""


def pids(log: Log, count: int) -> list[int]:
    until(lambda: len(log.lines) == count, f"{count} processes in {log.lines}")
    return [int(line.split()[1]) for line in log.lines]


@pytest.mark.parametrize("how", ["killed", "its main process ends"])
def test_nothing_of_a_tree_is_left(runtime: ProcessRuntime, registry: Registry, how: str) -> None:
    log = Log()
    container = runtime.start(spec(program(registry, FAMILY, name="family:1")), log)
    family = pids(log, 6)
    assert all(alive(pid) for pid in family)
    if how == "killed":
        container.kill()
    else:
        assert container.stop(30) == 128 + signal.SIGTERM
    until(lambda: container.poll() is not None, "the container ends")
    assert not [pid for pid in family if alive(pid)]
    container.close()


OWNER = """
    import sys, threading
    from pathlib import Path
    from seatrial.emulator.runtime.process import ProcessRuntime
    from seatrial.emulator.runtime.registry import Registry
    from tests.functional.runtime_support import bundle, spec, settings
    place = Path(sys.argv[1])
    runtime = ProcessRuntime(settings(place / "state"), Registry(place / "registry"))
    image = f"{runtime._registry.host}/family:owned"
    begin = lambda: runtime.start(spec(image), lambda line: print(line, flush=True))
    thread = threading.Thread(target=begin)      # a thread that ends, as the ones that serve requests do
    thread.start()
    thread.join()
    threading.Event().wait()
"""


def test_a_tree_does_not_outlive_a_killed_owner(place: Path, registry: Registry) -> None:
    program(registry, FAMILY, name="family:owned")
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(place)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
    )
    assert owner.stdout is not None
    family = [int(owner.stdout.readline().split()[1]) for _ in range(6)]
    assert all(alive(pid) for pid in family)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not [pid for pid in family if alive(pid)], "the family ends")


def test_a_killed_supervisor_takes_the_main_process_along(runtime: ProcessRuntime, registry: Registry) -> None:
    log = Log()
    container = runtime.start(spec(program(registry, "import time; print('ready'); time.sleep(600)")), log)
    log.wait_for("ready")
    supervisor = int(Path(f"/proc/{container.runtime_id}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: container.poll() == 137, "the death is seen")
    assert not alive(int(container.runtime_id))
    container.close()


def test_the_environment_is_exactly_the_specified_one(
    runtime: ProcessRuntime, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the emulator's own")
    image = bundle(
        registry,
        {"main.py": "import json, os; print(json.dumps(dict(os.environ)))"},
        name="env:1",
        Cmd=["python", "main.py"],
        Env=["A=image", "B=image", "PYTHONPATH=/app/lib:/app", "OTHER=/apples", "PATH=/opt/venv/bin"],
    )
    what = spec(
        image, environment={"B": "task", "SECRET": "s3cret", "BASE_URL": "/app"}, ports=[8000], task_ports=[8000, 9000]
    )
    code, lines = run_to_end(runtime, what)
    got = json.loads(lines[0])
    root = runtime._ready[registry.store.manifest("env", "1").digest].root  # type: ignore[union-attr]
    assert code == 0
    assert got.pop("PATH").endswith("/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    assert not Path(got.pop("HOME")).exists()
    assert not Path(got.pop("TMPDIR")).exists()
    assert Path(got.pop("VIRTUAL_ENV")).is_dir()
    assert got == {
        "A": "image",
        "B": "task",
        "SECRET": "s3cret",
        "BASE_URL": "/app",
        "PYTHONPATH": f"{root}/app/lib:{root}/app",
        "OTHER": "/apples",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SEATRIAL_TASK_ADDRESS": what.address,
        "SEATRIAL_TASK_LOOPBACK": private_address(what.address),
        "SEATRIAL_TASK_PORTS": "8000,9000",
    }


def test_secrets_are_on_no_command_line(runtime: ProcessRuntime, registry: Registry) -> None:
    log = Log()
    image = program(registry, "import time; print('ready'); time.sleep(600)")
    container = runtime.start(spec(image, environment={"PASSWORD": "hush-hush"}), log)
    log.wait_for("ready")
    main = int(container.runtime_id)
    supervisor = int(Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()[1])
    for pid in (main, supervisor, os.getpid()):
        assert b"hush-hush" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    container.kill()
    container.close()


def test_standard_input_is_empty_and_no_descriptor_leaks(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        "import os, sys; print(repr(sys.stdin.read()), *sorted(os.listdir('/proc/self/fd')))",
    )
    assert run_to_end(runtime, spec(image)) == (0, ["'' 0 1 2 3"])  # the fourth reads the directory


def test_sigpipe_ends_a_program_as_it_would_in_a_container(runtime: ProcessRuntime, registry: Registry) -> None:
    assert run_to_end(runtime, spec(program(registry, ""), "sh", "-c", "yes | head -1; echo over")) == (
        0,
        ["y", "over"],
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::"])
def test_two_tasks_listen_on_the_same_port_of_every_address(
    runtime: ProcessRuntime, registry: Registry, host: str
) -> None:
    family = "import os, socket\n    host = os.environ['HOST']\n    http.server.HTTPServer.address_family = "
    source = SERVER.replace("server = ", family + "socket.AF_INET6 if ':' in host else socket.AF_INET\n    server = ")
    image = program(registry, source, name="server:1")
    logs = [Log(), Log()]
    tasks = [spec(image, "python", "main.py", "", "8000", ports=[8000], environment={"HOST": host}) for _ in logs]
    containers = [runtime.start(task, log) for task, log in zip(tasks, logs, strict=True)]
    for task, log in zip(tasks, logs, strict=True):
        log.wait_for("listening")
        with urllib.request.urlopen(f"http://{task.address}:8000/main.py", timeout=30) as answer:
            assert b"http.server" in answer.read()
    for container in containers:
        container.kill()
        container.close()


def test_a_server_on_localhost_is_not_reached_from_outside(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, SERVER, name="server:1")
    log = Log()
    task = spec(image, "python", "main.py", "127.0.0.1", "8000", ports=[8000])
    container = runtime.start(task, log)
    log.wait_for("listening")
    assert not answers(task.address, 8000)
    assert not answers("127.0.0.1", 8000)
    assert container.run(["sh", "-c", "curl -sf http://localhost:8000/main.py"], 30) == 0
    container.kill()
    container.close()


ASYNC = """
    import asyncio, os, urllib.request
    async def answer(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nhello")
        await writer.drain()
        writer.close()
    async def main():
        server = await asyncio.start_server(answer, None, 8000)
        print("listening", flush=True)
        ask = lambda: urllib.request.urlopen("http://localhost:8000/").read().decode()
        print(await asyncio.to_thread(ask), flush=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", 8000)
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print((await reader.read()).decode().splitlines()[-1], flush=True)
        await asyncio.Event().wait()
    asyncio.run(main())
"""


def test_asyncio_and_localhost_inside_the_task(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, ASYNC, name="async:1")
    logs = [Log(), Log()]
    tasks = [spec(image, ports=[8000]) for _ in logs]
    containers = [runtime.start(task, log) for task, log in zip(tasks, logs, strict=True)]
    for container, task, log in zip(containers, tasks, logs, strict=True):
        until(lambda lines=log.lines: len(lines) == 3, "the task reaches itself")  # type: ignore[misc]  # bound now
        assert log.lines == ["listening", "hello", "hello"]
        assert answers(task.address, 8000)
        container.kill()
        container.close()


def test_commands_run_inside(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, SERVER, name="server:1")
    log = Log()
    container = runtime.start(
        spec(image, "python", "main.py", "0.0.0.0", "8000", ports=[8000], environment={"COLOUR": "blue"}), log
    )
    log.wait_for("listening")
    assert container.run(["sh", "-c", "curl -sf http://localhost:8000/main.py && test $COLOUR = blue"], 30) == 0
    assert container.run(["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/')"], 30) == 0
    assert container.run(["sh", "-c", "exit 9"], 30) == 9
    assert container.run(["no-such-program"], 30) == 127
    assert container.run(["sleep", "600"], 0.05) == 124
    container.kill()
    container.close()
    assert container.run(["true"], 30) == 126
    assert log.lines[0] == "listening"


@pytest.mark.parametrize(
    "command",
    [
        ["curl", "-sf", "http://localhost:8000/"],
        ["sh", "-c", "curl -sf http://localhost:8000/ || exit 1"],
        ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/')"],
    ],
)
def test_a_health_check_sends_the_host_it_names(
    runtime: ProcessRuntime, registry: Registry, command: list[str]
) -> None:
    source = """
        import http.server
        class Strict(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                print(self.headers["Host"], flush=True)
                self.send_response(200)
                self.end_headers()
        http.server.HTTPServer(("0.0.0.0", 8000), Strict).serve_forever()
    """
    log = Log()
    task = spec(program(registry, source, name="strict:1"), ports=[8000])
    container = runtime.start(task, log)
    until(lambda: answers(task.address, 8000), "the server listens")
    assert container.run(command, 30) == 0
    log.wait_for("localhost:8000")
    container.kill()
    container.close()


def test_a_volume_is_shared_by_the_containers_of_a_task(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "")
    mounts = [HostMount("static", "/srv/static")]
    keeper = runtime.start(spec(image, "sleep", "600", mounts=mounts), Log())
    assert run_to_end(runtime, spec(image, "sh", "-c", "echo hello > /srv/static/a", mounts=mounts)) == (0, [])
    assert run_to_end(runtime, spec(image, "cat", "/srv/static/a", mounts=mounts)) == (0, ["hello"])
    keeper.kill()
    keeper.close()
    assert not list((runtime._settings.state / "volumes").iterdir())


@pytest.mark.parametrize("name", ["app:absent", "nowhere:1", "app@sha256:" + "0" * 64])
def test_a_missing_image_is_told_in_the_words_of_ecs(runtime: ProcessRuntime, registry: Registry, name: str) -> None:
    program(registry, "")
    image = f"{registry.host}/{name}"
    with pytest.raises(ImageError) as caught:
        runtime.pull(image)
    assert str(caught.value) == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )


def test_images_that_need_a_container_are_refused(runtime: ProcessRuntime, registry: Registry) -> None:
    push(registry, "foreign:1", [layer({"bin/sh": ""})], {"Cmd": ["sh"]})
    for image in (f"{registry.host}/foreign:1", "nginx:latest"):
        with pytest.raises(ImageError, match="plain processes"):
            runtime.pull(image)


def test_an_image_is_found_by_awss_name_and_by_digest(runtime: ProcessRuntime, registry: Registry) -> None:
    program(registry, "print('found')", name="team/app:1")
    digest = registry.store.manifest("team/app", "1").digest  # type: ignore[union-attr]
    aws = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    for image in (f"{aws}/team/app:1", f"{registry.host}/team/app@{digest}"):
        assert run_to_end(runtime, spec(image)) == (0, ["found"])


def test_prepare_commands_run_once_for_an_image(place: Path, registry: Registry) -> None:
    image = bundle(
        registry,
        {"main.py": "print(open('built').read())"},
        name="prepared:1",
        labels={"seatrial.prepare": json.dumps([["sh", "-c", 'echo "$STAGE" >> /app/built']])},
        Env=["STAGE=built once"],
        Cmd=["python", "main.py"],
    )
    for _ in range(2):  # the second finds it on disk, as a restarted emulator does
        runtime = ProcessRuntime(settings(place / "state"), registry)
        assert run_to_end(runtime, spec(image)) == (0, ["built once", ""])


def test_what_a_task_writes_into_its_image_is_gone_with_the_run(place: Path, registry: Registry) -> None:
    image = bundle(
        registry,
        {"main.py": "f = open('x', 'a+'); f.write('x'); f.seek(0); print(f.read())"},
        name="own:1",
        Cmd=["python", "main.py"],
    )
    for _ in range(2):
        runtime = ProcessRuntime(settings(place / "state"), registry)
        assert run_to_end(runtime, spec(image)) == (0, ["x"])


def test_a_failing_prepare_command_makes_the_image_unavailable(runtime: ProcessRuntime, registry: Registry) -> None:
    image = bundle(
        registry, {}, name="broken:1", labels={"seatrial.prepare": '[["sh", "-c", "echo no such setting; exit 4"]]'}
    )
    for _ in range(2):  # and leaves nothing behind that a second attempt would take for whole
        with pytest.raises(ImageError, match=r"(?s)exit code 4.*no such setting"):
            runtime.pull(image)


def test_shutdown_ends_everything(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "import time; print('ready'); time.sleep(600)")
    containers = [runtime.start(spec(image), Log()) for _ in range(3)]
    runtime.shutdown()
    assert [container.poll() for container in containers] == [137, 137, 137]
