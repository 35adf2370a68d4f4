"""Where and when it was measured, and what else the machine was doing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

#: Processes that want a processor, for each processor, above which the machine counts as shared.
_BUSY = 0.5


def described(root: Path) -> str:
    """Return date, commit, hardware and load in one sentence or two. Call it before anything is measured."""
    processors = os.cpu_count() or 1
    load = os.getloadavg()[0]
    shared = (
        f" **The machine was shared:** its load was {load:.1f} on {processors} processors before the first measurement,"
        " so times are those of a busy machine; read the ratios."
        if load > _BUSY * processors
        else f" Its load was {load:.1f} before the first measurement."
    )
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d at %H:%M UTC} at commit {_commit(root)} on {_processor()}, "
        f"{processors} processors, {_memory():.0f} GiB, {_system()}, Python {platform.python_version()}.{shared}"
    )


def _commit(root: Path) -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True, text=True).stdout

    changed = " with changes" if git("status", "--porcelain", "--", "src", "examples", "requirements.lock") else ""
    return git("rev-parse", "--short=12", "HEAD").strip() + changed


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _system() -> str:
    return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release().partition('-')[0]}"
