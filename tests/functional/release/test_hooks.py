"""Hooks: real programs and a real webhook on this machine, those that fail and those that hang too."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.config.notify import Notify
from seatrial.release.journal.hooks import Hooks
from tests.functional.emulator.support import emulator, eventually
from tests.functional.release.support import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = {"schema": 1, "event": "release_started", "release": 7}


class Webhook:
    """A server that keeps what it is sent, and answers ``status``."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.status = 204
        self.hang = threading.Event()
        self.hangs = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((self.headers["Content-Type"], json.loads(body)))
                if outer.hangs:
                    outer.hang.wait(30)
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", outer.url)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=hush"
        self.thread = threading.Thread(target=self.server.serve_forever)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    it = Webhook()
    it.thread.start()
    yield it
    it.hang.set()
    it.server.shutdown()
    it.thread.join()
    it.server.server_close()


def told(root: Path, environ: dict[str, str] | None = None, **hooks: dict[str, Any]) -> list[str]:
    """Tell hooks of a document; return the notes."""
    notes: list[str] = []
    wanted = {name: Notify.model_validate(values) for name, values in hooks.items()}
    Hooks(wanted, root, notes.append, environ or {}).tell(DOCUMENT)
    return notes


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_gets_the_document_and_a_webhook_too(tmp_path: Path, webhook: Webhook) -> None:
    keeps = program("import sys; open('kept.json', 'w').write(sys.stdin.read())")
    assert (
        told(
            tmp_path,
            {"WEBHOOK": webhook.url},
            program={"run": keeps},
            url={"url": webhook.url},
            secret={"url_variable": "WEBHOOK"},
        )
        == []
    )
    assert json.loads((tmp_path / "kept.json").read_text()) == DOCUMENT
    assert webhook.received == [("application/json", DOCUMENT)] * 2


def test_one_that_fails_is_told_and_the_others_are_told_too(tmp_path: Path, webhook: Webhook) -> None:
    webhook.status = 500
    notes = told(
        tmp_path,
        fails={"run": program("import sys; sys.exit('no such channel')")},
        missing={"run": ["no-such-program-anywhere"]},
        refused={"url": webhook.url},
        nobody={"url": "http://127.0.0.1:9/token-hush"},
        unset={"url_variable": "NOT_SET"},
        deaf={"run": program("pass")},
    )
    words = [
        "ended with 1: no such channel", "cannot be run: No such file", "answered 500", "cannot be reached: Connection",
        "the variable NOT_SET is not set",
    ]  # fmt: skip
    assert len(notes) == len(words)
    for note, expected in zip(notes, words, strict=True):
        assert expected in note
        assert "was not told of release_started" in note
        assert "hush" not in note


def test_no_redirect_is_followed(tmp_path: Path, webhook: Webhook) -> None:
    webhook.status = 302
    assert "answered 302" in told(tmp_path, moved={"url": webhook.url})[0]
    assert len(webhook.received) == 1


def test_one_that_hangs_is_ended_with_all_it_started(tmp_path: Path, webhook: Webhook) -> None:
    webhook.hangs = True
    code = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); open('pid', 'w').write(str(p.pid)); p.wait()"
    )
    notes = told(tmp_path, slow={"run": program(code), "timeout": 2}, quiet={"url": webhook.url, "timeout": 1})
    assert "took longer than 2 s" in notes[0]
    assert "cannot be reached" in notes[1]
    child = int((tmp_path / "pid").read_text())
    eventually(lambda: not alive(child))


def alive(pid: int) -> bool:
    from pathlib import Path

    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_release_on_the_emulator_tells_and_keeps_its_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from seatrial.aws.s3 import S3
    from seatrial.cli import main
    from seatrial.stack import names

    append = "import sys; open('../told.jsonl', 'a').write(sys.stdin.read() + '\\n')"
    notify = f"[notify.file]\nrun = {json.dumps(program(append))}\n"
    with emulator(tmp_path / "emulator", time_scale=0.02) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.info.endpoint)
        shop = place(tmp_path / "shop", running.info.endpoint, "shop", more=notify)
        S3(shop.aws).ensure_private_bucket(names.artifacts_bucket(shop.settings, shop.aws.account(), shop.aws.region))
        shop.commit("one")
        assert shop.deploy().exit_code == 0
        shop.commit("two", gate="raises")
        assert shop.deploy().exit_code == 1
        with pytest.raises(SystemExit):
            main(["history", "--json", "--config", str(shop.root / "seatrial.toml")])
        releases = json.loads(capsys.readouterr().out)["releases"]
    assert [(each["release"], each["result"]) for each in releases] == [(2, "rolled_back"), (1, "released")]
    documents = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [(each["event"], each["release"]) for each in documents] == [
        ("release_started", 1), ("release_finished", 1), ("release_started", 2), ("release_finished", 2),
    ]  # fmt: skip
    assert releases[0]["events"][-1] == documents[-1]
