"""Which process is meant: a process id and the moment it started, so that a recycled id is never taken for ours."""

from __future__ import annotations

from pathlib import Path


def started_at(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot, or None when there is none (or only a zombie).

    Field 22 of ``/proc/PID/stat``, proc(5); the command in field 2 may itself hold spaces and parentheses.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def is_running(pid: int, start: int) -> bool:
    """Whether the very process that started at ``start`` still runs."""
    return started_at(pid) == start


def tree_memory(pid: int) -> int:
    """Return the proportional memory (PSS, bytes) of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        waiting.extend(children.get(each, []))
        total += _memory(each)
    return total


def _parent(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[1])


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # ended meanwhile, or another user's: not ours to count
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
