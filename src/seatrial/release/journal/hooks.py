"""``[notify.NAME]``: a program that gets each document on standard input, or a webhook that gets it by POST.

A hook that fails or takes too long is told in a note, and the release goes on. Its address is never printed: webhooks
carry their secret in it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from seatrial import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seatrial.config.notify import Notify

_SHOWN = 200  # characters of a program's last words


class HookFailed(Exception):
    """Why a hook did not take a document."""


class Hooks:
    """All hooks of an environment. ``root`` is where programs run: the directory of ``seatrial.toml``."""

    def __init__(
        self, wanted: Mapping[str, Notify], root: Path, note: Callable[[str], None], environ: Mapping[str, str]
    ) -> None:
        self._wanted = wanted
        self._root = root
        self._note = note
        self._environ = environ

    def tell(self, document: Mapping[str, Any]) -> None:
        """Tell every hook, one after the other."""
        body = json.dumps(document).encode()
        for name, hook in self._wanted.items():
            try:
                if hook.run:
                    _run(hook.run, body, self._root, hook.timeout)
                else:
                    _post(self._address(hook), body, hook.timeout)
            except HookFailed as failed:
                self._note(f"[notify.{name}] was not told of {document['event']}: {failed}")

    def _address(self, hook: Notify) -> str:
        if hook.url is not None:
            return hook.url
        address = self._environ.get(hook.url_variable or "")
        if not address:
            raise HookFailed(f"the variable {hook.url_variable} is not set")
        if not address.startswith(("https://", "http://")):
            raise HookFailed(f"the variable {hook.url_variable} holds no http address")
        return address


def _run(command: tuple[str, ...], body: bytes, root: Path, timeout: float) -> None:
    """Run a program. What it starts ends with it, so that nothing outlives the time it has."""
    with tempfile.TemporaryFile() as said:
        try:
            program = subprocess.Popen(
                command, cwd=root, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True
            )
        except OSError as error:
            raise HookFailed(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            program.communicate(body, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            raise HookFailed(f"{command[0]} took longer than {timeout:g} s") from None
        if program.returncode != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            words = f": {lines[-1][:_SHOWN]}" if lines else ""
            raise HookFailed(f"{command[0]} ended with {program.returncode}{words}")


def _post(address: str, body: bytes, timeout: float) -> None:
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked where the address is read
        address,
        data=body,
        method="POST",
        headers={"Content-Type": "application/json", "User-Agent": f"seatrial/{__version__}"},
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout):
            return
    except urllib.error.HTTPError as error:
        with error:
            raise HookFailed(f"the webhook answered {error.code}") from None
    except urllib.error.URLError as error:
        raise HookFailed(f"the webhook cannot be reached: {_reason(error)}") from None
    except (OSError, ValueError) as error:
        raise HookFailed(f"the webhook cannot be reached: {type(error).__name__}") from None


def _reason(error: urllib.error.URLError) -> str:
    """Return what is known without the address."""
    return error.reason.strerror or type(error.reason).__name__ if isinstance(error.reason, OSError) else "no address"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing; the answer counts as a failure."""
