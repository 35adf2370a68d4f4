"""What the whole stack keeps in memory while nothing happens, by part.

Proportional set size: pages that several processes share are divided between them, so that parts add up to the whole.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import Result, Table, median, ratio
from bench.stage import NAME, say
from seatrial.emulator import process as emulators

if TYPE_CHECKING:
    from bench.stage import Stage

_SAMPLES = 3
#: Seconds between two samples.
_PAUSE = 5.0
_ENGINES = "emulator: API and engines"
#: What a process is, by the first of these words in its command line.
_PARTS = {
    "seatrial.emulator.server": _ENGINES,
    "envoy": "emulator: proxy (Envoy)",
    "runtime/supervisor.py": "emulator: supervisors of tasks",
    "gunicorn": "application: two web tasks",
    "celery -A stockweb worker": "application: worker",
    "celery -A stockweb beat": "application: beat",
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
}
_OTHER = "other"


def measure(stage: Stage) -> Result:
    """Look at an emulator on which the application is released."""
    say(f"memory: {_SAMPLES} samples, {_PAUSE:g} s apart")
    samples, whole, ticks = [], [], [_processor_seconds(stage.info.pid)]
    begun = time.perf_counter()
    for _ in range(_SAMPLES):
        time.sleep(_PAUSE)
        ticks.append(_processor_seconds(stage.info.pid))
        samples.append(_by_part(stage.info.pid))
        status = emulators.status(NAME, stage.project)
        assert status is not None  # it runs for as long as there is a stage
        whole.append(int(status["memory_bytes"]))
    share = (ticks[-1] - ticks[0]) / (time.perf_counter() - begun)
    names = [name for name in (*_PARTS.values(), _OTHER) if any(name in sample for sample in samples)]
    parts = {name: median([sample.get(name, 0) for sample in samples]) for name in names}
    own = sum(size for name, size in parts.items() if name.startswith("emulator: "))
    total = sum(parts.values())
    rows = [(name, _mebibytes(size), f"{size / total:.0%}") for name, size in parts.items()]
    rows += [
        ("**all of it**", _mebibytes(total), "100%"),
        ("as `seatrial emulator status` says", _mebibytes(median(whole)), f"{median(whole) / total:.0%}"),
    ]
    return Result(
        (Table(("part", "memory (PSS)", "share"), tuple(rows)),),
        f"The whole is {ratio(total, total - own)} times what the application, PostgreSQL and Valkey take "
        f"themselves: seatrial adds {_mebibytes(own)}. There is no peer that runs the same. Idle, all of it uses "
        f"{share:.1%} of one processor. Medians of {_SAMPLES} samples.",
    )


def _by_part(root: int) -> dict[str, float]:
    parts: dict[str, float] = {}
    for pid in _tree(root):
        command = _read(pid, "cmdline").replace("\0", " ")
        size = _proportional(pid)
        part = next((part for word, part in _PARTS.items() if word in command), _OTHER)
        if size:
            parts[part] = parts.get(part, 0.0) + size
    return parts


def _tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _read(int(entry.name), "stat")):
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def _proportional(pid: int) -> float:
    """Return the bytes of a process, 0 when it has ended. Another user's cannot be read, but by root."""
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1]) * 1024
    return 0.0


def _processor_seconds(root: int) -> float:
    """Return the processor time of a tree (proc(5), fields 14 and 15 of stat). Children that ended do not count."""
    fields = [_read(pid, "stat").rpartition(")")[2].split() for pid in _tree(root)]
    return sum(int(each[11]) + int(each[12]) for each in fields if each) / 100


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _mebibytes(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"
