"""Containers as plain processes, for real: addresses of their own, localhost, health checks."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.runtime.support import (
    Log,
    answers,
    program,
    spec,
    until,
)

if TYPE_CHECKING:
    from seatrial.emulator.runtime.process import ProcessRuntime
    from seatrial.emulator.runtime.registry import Registry

SERVER = """
    import http.server, sys
    host, port = sys.argv[1], int(sys.argv[2])
    server = http.server.HTTPServer((host, port), http.server.SimpleHTTPRequestHandler)
    print("listening", flush=True)
    server.serve_forever()
"""


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
