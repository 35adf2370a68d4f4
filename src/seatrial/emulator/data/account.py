"""Which user of this machine a database runs as, and directories that user can reach.

PostgreSQL refuses to run as root. Root therefore gives it to the account ``postgres`` or, where there is none, to
``nobody``; no account is ever created. That account may not be able to enter the checkout (a home directory is often
mode 0700), so directories it needs then live under ``/var/tmp/seatrial-UID``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path

from seatrial.emulator.children import Account

_ENTER, _READ_AND_ENTER = 0o1, 0o5
_OWNER = ".owner"


def database_account() -> Account | None:
    """Return the account a database must run as, None for our own. Raises ``OSError`` where root has none to give."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise OSError("PostgreSQL does not run as root, and this machine has neither an account 'postgres' nor 'nobody'")


def account_name(account: Account | None) -> str:
    """Return the account's name. Raises ``KeyError`` for a user id without an entry in the password database."""
    return pwd.getpwuid(account.uid if account else os.geteuid()).pw_name


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether the account may enter every directory from the root down to ``path`` and read it."""
    if account is None:
        return True
    resolved = path.resolve()
    return _allows(resolved, account, _READ_AND_ENTER) and all(
        _allows(each, account, _ENTER) for each in resolved.parents
    )


def shared_directory(account: Account | None) -> Path:
    """Return a directory of ours, kept between runs, that the account can enter. Made on first use.

    Raises ``OSError`` when somebody else made it first: what is started from there must be ours.
    """
    if account is None:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seatrial"
    else:
        directory = Path(f"/var/tmp/seatrial-{os.geteuid()}")  # noqa: S108 - its owner and mode are checked below
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise OSError(f"{directory} is not a directory that only user {os.geteuid()} may write; remove it")
    return directory


def reachable_directory(wanted: Path, account: Account | None) -> Path:
    """Make and return ``wanted``, or a stand-in named after it where the account cannot go there.

    Beside a stand-in lies a file that names what it stands in for, so that :func:`sweep` can tell when nobody needs it.
    """
    wanted.mkdir(parents=True, exist_ok=True)
    if can_reach(wanted, account):
        return wanted
    directory = stand_in(wanted, account)
    _owner(directory).write_text(str(wanted.resolve()), encoding="utf-8")  # first: what is there can be swept
    directory.mkdir(exist_ok=True)
    return directory


def stand_in(wanted: Path, account: Account | None) -> Path:
    """Return where the stand-in of a directory is, whether it is there and needed or not."""
    digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:16]
    return shared_directory(account) / f"{wanted.name}-{digest}"


def remove_stand_in(wanted: Path, account: Account | None) -> None:
    """Remove the stand-in of a directory, if there is one, with all that is in it."""
    _remove(stand_in(wanted, account))


def sweep(account: Account | None) -> None:
    """Remove the stand-ins of directories that are no more: their project was deleted."""
    for owner in shared_directory(account).glob(f"*{_OWNER}"):
        with contextlib.suppress(FileNotFoundError):  # another emulator, started at the same time, sweeps too
            if not Path(owner.read_text(encoding="utf-8")).exists():
                _remove(owner.with_name(owner.name.removesuffix(_OWNER)))


def private_directory(directory: Path, account: Account | None) -> Path:
    """Make ``directory`` (its parent is reachable) the account's own."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(directory, account.uid, account.gid)
    return directory


def reachable_copy(directory: Path, name: str, account: Account | None) -> Path:
    """Return ``directory``, or a copy of it called ``name`` where the account cannot read the original."""
    if can_reach(directory, account):
        return directory
    copy = shared_directory(account) / name
    if not copy.exists():
        partial = copy.with_name(f"{name}.{os.getpid()}")
        shutil.copytree(directory, partial, symlinks=True)
        publish(partial, copy)
    return copy


def publish(partial: Path, final: Path) -> None:
    """Give a finished directory its name; where another process was first, its result is as good as ours."""
    try:
        partial.rename(final)
    except OSError:
        shutil.rmtree(partial)
        if not final.is_dir():
            raise


def _owner(directory: Path) -> Path:
    return directory.with_name(directory.name + _OWNER)


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    _owner(directory).unlink(missing_ok=True)


def _allows(path: Path, account: Account, wanted: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == account.uid else 3 if found.st_gid == account.gid else 0
    return found.st_mode >> shift & wanted == wanted
