"""The last step before a child process becomes itself: drop to another user, arrange to die with the parent, exec.

Run as ``python -I -S launch.py PARENT SIGNAL UID GID COMMAND...`` so that nothing happens between ``fork`` and ``exec``
in a process that has threads. Imports nothing but the standard library, and as little of it as it can.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    """Become the command. Ends with 1 when the parent has died before it could be watched."""
    parent, signal, uid, gid = map(int, arguments[:4])
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(arguments[4], arguments[4:])  # noqa: S606 - becoming the command is this file's purpose


if __name__ == "__main__":
    main(sys.argv[1:])
