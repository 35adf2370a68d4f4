"""Background work, by a real worker over a real queue."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from structlog.contextvars import bound_contextvars, clear_contextvars

from stock import tasks
from stock.models import Lot, LowStockAlert
from stockweb.celery import app
from tests.conftest import PROJECT
from tests.factories import Shelf, part, shelf

PATIENCE = 60


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_beat_loads_the_schedule_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beat = app.Beat()
    scheduler = beat.Service(app, scheduler_cls=beat.scheduler_cls).get_scheduler()
    assert set(settings.CELERY_BEAT_SCHEDULE) <= set(scheduler.schedule)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_the_audit_logs_what_does_not_add_up(stocked: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    assert tasks.audit_ledger() == 0
    Lot.objects.update(qty=12)
    assert tasks.audit_ledger() == 1
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.qty, record.movements_total) == (12, 10)


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_what_is_queued_and_stops_when_told(environment: dict[str, str]) -> None:
    world = shelf()
    low = part("Empty", min_qty=5)
    with worker(environment) as (process, lines):
        clear_contextvars()  # of the last request of a test before
        tasks.send_low_stock_digest.delay()
        with bound_contextvars(request_id="request-1"):
            tasks.audit_ledger.delay()
        lines.until('"message": "low stock: 1 new"')
        lines.until('"message": "ledger audited: 0 discrepancies"')
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    told = [json.loads(line) for line in lines.seen if '"stock.tasks"' in line]
    ids = {line["message"]: (line["task"], line.get("request_id")) for line in told}
    assert ids == {
        "low stock: 1 new": ("stock.tasks.send_low_stock_digest", None),
        "ledger audited: 0 discrepancies": ("stock.tasks.audit_ledger", "request-1"),
    }
    assert LowStockAlert.objects.get().part == low
    assert world.qty(world.first) == 10


class Lines:
    """What a process has written, read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.seen: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, args=(process,))
        self._reader.start()

    def until(self, text: str) -> None:
        """Return when a line has had the text."""
        with self._news:
            assert self._news.wait_for(lambda: self._ended or self._has(text), PATIENCE), self.seen
            assert self._has(text), self.seen

    def _has(self, text: str) -> bool:
        return any(text in line for line in self.seen)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._news:
                self.seen.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def join(self) -> None:
        """Wait for the end of the output."""
        self._reader.join(PATIENCE)


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], Lines]]:
    """Run a worker in the way seatrial.toml does."""
    command = [sys.executable, "-m", "celery", "-A", "stockweb", "worker", "--concurrency", "1"]
    command += ["--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = Lines(process)
    try:
        lines.until("ready.")
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        lines.join()
        if process.stdout is not None:
            process.stdout.close()
