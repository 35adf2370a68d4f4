"""ECS Exec: a person's terminal in a task, over the data channel that ExecuteCommand opens."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from seatrial.aws.clock import SystemClock
from seatrial.aws.datachannel import DataChannel
from seatrial.aws.ecs import Ecs
from seatrial.aws.errors import AccessDenied, AwsError
from seatrial.aws.session import Aws
from seatrial.emulator.sessions import messages
from seatrial.emulator.sessions.messages import Message, decode
from seatrial.errors import UsageError
from seatrial.release.shell import start
from seatrial.stack import names
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.support import Place, place
from tests.functional.release.test_policy import give, printed, user, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.connection import Connection

MORE = """
[services.bare]
role = "worker"
command = ["python", "-m", "tiny.worker"]
exec = false
[environment]
COLOUR = "blue"
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    toml_end = 'cloud = "emulator"\n'
    it = place(tmp_path_factory.mktemp("shop") / "project", running.info.endpoint, "shop", more=f"exec = true\n{MORE}")
    assert (it.root / "seatrial.toml").read_text().count(f"{toml_end}exec = true\n") == 1
    it.commit("one")
    assert it.deploy().exit_code == 0
    return it


def tasks(shop: Place, unit: str) -> list[Any]:
    found = Ecs(shop.aws, names.cluster(shop.settings)).tasks_of(unit)
    return [each for each in found if each.status == "RUNNING"]


def execute(shop: Place, command: str, unit: str = "web", **more: Any) -> dict[str, Any]:
    values = {"task": tasks(shop, unit)[0].arn, "command": command, "interactive": True} | more
    client = shop.aws.client("ecs").raw
    answer: dict[str, Any] = client.execute_command(cluster=names.cluster(shop.settings), **values)
    return answer


def said(session: dict[str, str], *keys: bytes) -> str:
    with DataChannel(session["streamUrl"], session["tokenValue"], SystemClock()) as channel:
        for each in keys:
            channel.type(each)
        return b"".join(channel.text()).decode()


def seatrial(shop: Place, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    assert shop.aws.endpoint is not None
    chosen: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    program = [sys.executable, "-c", "from seatrial.cli import main; main()", *arguments]
    started: subprocess.Popen[bytes] = subprocess.Popen(
        program, cwd=shop.root, env={**os.environ, "AWS_ENDPOINT_URL": shop.aws.endpoint}, **(chosen | streams)
    )
    return started


def ended(process: subprocess.Popen[bytes], typed: bytes | None = None) -> tuple[int, str, str]:
    out, err = process.communicate(typed, timeout=120)
    return process.returncode, out.decode(), err.decode()


# The API and the channel


def test_a_command_runs_in_the_tasks_environment_and_directory(shop: Place) -> None:
    answer = execute(shop, "python -c 'import os, tiny.mode; print(os.environ[\"TERM\"], tiny.mode.VERSION)'")
    assert (answer["containerName"], answer["interactive"]) == ("web", True)
    assert answer["taskArn"] == tasks(shop, "web")[0].arn
    assert answer["session"]["sessionId"].startswith("ecs-execute-command-")
    assert answer["session"]["streamUrl"].startswith("ws://127.0.0.1:")
    assert "xterm-256color one\r\n" in said(answer["session"])


def test_what_is_typed_is_heard_and_a_session_opens_once(shop: Place) -> None:
    session = execute(shop, "sh", container="web")["session"]
    assert "forty-2" in said(session, b"echo forty-$((1+1))\n", b"exit\n")
    for token in (session["tokenValue"], "guessed"):
        with pytest.raises(AwsError, match="broke off"):
            said(session | {"tokenValue": token})


def test_what_the_client_does_not_acknowledge_is_sent_again(shop: Place) -> None:
    """As the Session Manager plugin does not while it makes its terminal ready."""
    session = execute(shop, "echo once")["session"]
    with connect(session["streamUrl"], proxy=None) as socket:
        socket.send(json.dumps({"TokenValue": session["tokenValue"]}))
        request = received(socket)
        assert request.payload_type == messages.HANDSHAKE_REQUEST
        socket.send(acknowledged(request))
        shaken = json.dumps({"ClientVersion": "1", "ProcessedClientActions": [], "Errors": []}).encode()
        socket.send(Message(messages.INPUT, shaken, messages.HANDSHAKE_RESPONSE).encode(1))
        seen: list[tuple[str, int, bytes]] = []
        while ("text", b"once\r\n") not in [(kind, text) for kind, _, text in seen[:-1]]:
            message = received(socket)
            if message.kind == messages.OUTPUT and message.payload_type == messages.HANDSHAKE_COMPLETE:
                socket.send(acknowledged(message))
            elif message.kind == messages.OUTPUT:
                seen.append(("text", message.sequence, message.payload))
        assert len(set(seen)) == 1
        socket.send(acknowledged(Message(messages.OUTPUT, b"", sequence=seen[0][1])))
        while (message := received(socket)).kind != messages.CLOSED:
            pass
        assert message.content()["SessionId"] == session["sessionId"]
        with pytest.raises(ConnectionClosed):
            socket.recv(60)


def received(socket: Connection) -> Message:
    data = socket.recv(60)
    assert isinstance(data, bytes)
    return decode(data)


def acknowledged(message: Message) -> bytes:
    return messages.acknowledgement(message).encode(1)


def test_nonsense_ends_the_session(shop: Place) -> None:
    session = execute(shop, "sh")["session"]
    with connect(session["streamUrl"], proxy=None) as socket:
        socket.send(json.dumps({"TokenValue": session["tokenValue"]}))
        socket.send(b"nonsense")
        with pytest.raises(ConnectionClosed):
            list(socket)
        assert socket.close_code == 1008


@pytest.mark.parametrize(
    ("unit", "more", "code", "text"),
    [
        ("bare", {}, "InvalidParameterException", "execute command was not enabled when the task was run"),
        ("web", {"interactive": False}, "InvalidParameterException", "Interactive is the only mode"),
        ("web", {"container": "other"}, "InvalidParameterException", "no container named other"),
        ("web", {"task": "0" * 32}, "InvalidParameterException", "task was not found"),
        ("web", {"command": "echo 'open"}, "InvalidParameterException", "cannot be read"),
    ],
)
def test_execute_command_refuses(shop: Place, unit: str, more: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        execute(shop, **({"command": "true", "unit": unit} | more))
    assert refused.value.response["Error"]["Code"] == code


def test_a_terminal_ends_with_its_task(shop: Place) -> None:
    client = shop.aws.client("ecs")
    cluster = names.cluster(shop.settings)
    (task,) = tasks(shop, "worker")
    session = execute(shop, "sleep 600", "worker")["session"]
    threading.Timer(0.5, lambda: client.stop_task(cluster=cluster, task=task.arn)).start()
    assert said(session) == ""
    client.raw.get_waiter("services_stable").wait(
        cluster=cluster, services=["worker"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    with pytest.raises(ClientError, match="not running") as gone:
        execute(shop, "true", task=task.arn)
    assert gone.value.response["Error"]["Code"] == "TargetNotConnectedException"


# The command


def test_exec_ends_with_the_commands_own_exit_code(shop: Place) -> None:
    code, out, err = ended(seatrial(shop, "exec", "local", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"))
    assert (code, out) == (7, "out\nerr\n"), err
    code, out, _ = ended(seatrial(shop, "exec", "local", "web", "--json", "--", "python", "-c", "print('é')"))
    answer = json.loads(out)
    assert code == 0
    assert answer == {
        "task": tasks(shop, "web")[0].id,
        "container": "web",
        "command_exit_code": 0,
        "exit_code": 0,
        "output": "é\n",
    }
    code, out, err = ended(seatrial(shop, "exec", "local", "web", "--", "no-such-program"))
    assert code == 127
    code, out, err = ended(seatrial(shop, "exec", "local", "web", "--", "sh", "-c", "kill -9 $PPID"))
    assert code == 3
    assert "came to no exit code" in err


def test_exec_types_what_is_piped_in(shop: Place) -> None:
    script = b"import tiny.mode\nprint('version', tiny.mode.VERSION)\n"
    process = seatrial(shop, "exec", "local", "web", "--", "python", "-c", "import sys; exec(sys.stdin.read())",
                       stdin=subprocess.PIPE)  # fmt: skip
    assert ended(process, script)[:2] == (0, "version one\n")


def test_exec_hands_over_a_persons_terminal(shop: Place) -> None:
    """A shell where no command is given; Ctrl-C is for the command in it, and the shell's own exit code counts."""
    ours, theirs = pty.openpty()
    process = seatrial(shop, "exec", "local", "web", stdin=theirs, stdout=theirs, stderr=theirs)
    seen = bytearray()

    def until(text: bytes) -> None:
        while text not in seen:
            seen.extend(os.read(ours, 4096))

    try:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
        os.write(ours, b"stty size; echo ready-$((40+2))\r")
        until(b"ready-42")
        assert b"33 99" in seen
        os.write(ours, b"sh -c 'echo sleeps-$((1+1)); exec sleep 600'\r")
        until(b"sleeps-2")
        os.write(ours, b"\x03")
        os.write(ours, b"echo still-$((1+1))\r")
        until(b"still-2")
        os.write(ours, b"exit 9\r")
        assert process.wait(60) == 9
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("unit", "task", "message"),
    [
        ("bare", None, "ECS Exec is off for bare in local"),
        ("nobody", None, r"no service called nobody \(known: web, worker, bare\)"),
        ("web", "ffff", "0 running tasks of web begin with ffff"),
    ],
)
def test_exec_refuses_and_says_what_to_do(shop: Place, unit: str, task: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        start(shop.settings, shop.aws, unit, task=task, clock=SystemClock())
    if unit == "bare":
        assert refused.value.hint == (
            "`exec = true` in [services.bare] or [environments.local], then `seatrial infra apply local` and a release "
            "turn it on"
        )


def test_exec_names_a_task_that_was_started_before(shop: Place) -> None:
    settings = shop.settings.model_copy(
        update={"services": shop.settings.services | {"bare": shop.settings.services["worker"]}}
    )
    with pytest.raises(UsageError, match="was started before ECS Exec was turned on"):
        start(settings, shop.aws, "bare", clock=SystemClock())


def test_exec_works_under_exactly_its_policy(
    running: Running, shop: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = user(Aws(shop.aws.region, endpoint=shop.aws.endpoint), "operator")
    document = printed(shop, capsys, monkeypatch, "exec")

    def run() -> int | None:
        started = start(shop.settings, operator, "web", command=["true"], clock=SystemClock())
        with started.channel as channel:
            for text in channel.text():
                started.ending.shown(text)
        return started.ending.exit_code

    give(running, "operator", document)
    assert run() == 0
    for action in {action for each in document["Statement"] for action in each["Action"]}:
        give(running, "operator", without(document, action))
        with pytest.raises(AccessDenied):
            run()
