"""The same releases by seatrial and by ecs-deploy, under the same requests: what users get, and what is said.

Both release an image that is in the registry already, of the same application, on the same emulator, in turns. What
ecs-deploy is asked for is what its own documentation offers for each part: the migration by ``ecs update`` and
``ecs run``, then ``ecs deploy --rollback`` for one service after the other, as a careful script would, which stops at
the first that fails. Each goes through a proxy of its own that counts its API calls.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.calls import counted
from bench.report import Result, Table, median, seconds
from bench.stage import ENVIRONMENT, NAME, ROOT, say
from seatrial import images
from seatrial.aws.ecr import Ecr
from seatrial.aws.ecs import Ecs
from seatrial.rehearsal.load import Load
from seatrial.rehearsal.probe import Aim
from seatrial.release.facts import app_stack
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.calls import Calls
    from bench.stage import Stage

ROUNDS = 3
#: Requests per second, open loop, half of them on connections of their own.
RATE = 300
#: Without database or templates: what is measured is the release, on two processors, and not the application.
_PATH = "/livez"
_BIN = ROOT / ".venv" / "bin"
#: Operations that change nothing begin so.
_READS = ("Describe", "Get", "List", "BatchGet", "GET ", "HEAD ")
#: How long a command may take, in seconds; ecs-deploy itself gives up after 300.
_AT_MOST = 330


@dataclass(frozen=True)
class Release:
    """One command line's release. ``said`` are its last words, ``serving`` what web's tasks run afterwards."""

    code: int
    seconds: float
    reads: int
    writes: int
    requests: int
    failed: int
    said: str
    serving: str


@dataclass(frozen=True)
class Doom:
    """A version that cannot work. ``change`` breaks the project's files."""

    title: str
    change: Callable[[Path], None]


def measure(stage: Stage) -> Result:
    """Release good versions in turns, then each doomed one, always from the good one."""
    with _tools(stage) as tools, _restored(stage.project):
        good: dict[str, list[Release]] = {name: [] for name in tools}
        for index in range(ROUNDS):
            for name, tool in tools.items():
                stage.commit(f"peer {name} {index}")
                good[name].append(_released(stage, tool, _pushed(stage)))
                say(f"peer: {name}, round {index + 1} of {ROUNDS}: {good[name][-1]}")
        sound = _pushed(stage)
        doomed: list[tuple[Doom, str, Release]] = []
        for doom in DOOMS:
            with _restored(stage.project):
                doom.change(stage.project)
                stage.commit(doom.title)
                broken = _pushed(stage)
            for name, tool in tools.items():
                doomed.append((doom, name, _released(stage, tool, broken, sound=sound)))
                say(f"peer: {doom.title}, {name}: {doomed[-1][2]}")
                _recovered(stage, tools["seatrial"], sound)
    note = f"{RATE} requests a second to {_PATH}; medians of {ROUNDS} releases each, in turns."
    return Result((_good(good), _doomed(doomed)), note)


@dataclass(frozen=True)
class Tool:
    """A way to release an image by its digest: its command lines, and what counts its calls.

    ``said`` takes standard output and standard error and returns the last word.
    """

    calls: Calls
    commands: Callable[[str], Sequence[Sequence[str]]]
    said: Callable[[str, str], str]


@contextmanager
def _tools(stage: Stage) -> Iterator[Mapping[str, Tool]]:
    with counted(stage.info.endpoint) as ours, counted(stage.info.endpoint) as theirs:
        yield {
            "seatrial": Tool(ours, lambda digest: [_seatrial(digest)], _message),
            "ecs-deploy": Tool(theirs, lambda digest: _ecs_deploy(stage, digest), _last_line),
        }


def _seatrial(digest: str) -> list[str]:
    return [str(_BIN / "seatrial"), "deploy", ENVIRONMENT, "--image", digest, "--json"]


def _ecs_deploy(stage: Stage, digest: str) -> list[list[str]]:
    settings, ecs = stage.settings, str(_BIN / "ecs")
    stack, cluster = app_stack(settings, stage.aws), names.cluster(settings)
    image = f"{stack.repository_uri}@{digest}"
    network = [part for subnet in stack.subnets for part in ("--subnet", subnet)]
    network += ["--securitygroup", stack.security_group, "--public-ip"]
    migrate = names.family(settings, "migrate")
    return [
        [ecs, "update", migrate, "--image", "migrate", image],
        [ecs, "run", cluster, migrate, "--launchtype", "FARGATE", *network],
        *([ecs, "deploy", cluster, unit, "--image", unit, image, "--rollback"] for unit in settings.services),
    ]


def _released(stage: Stage, tool: Tool, digest: str, *, sound: str | None = None) -> Release:
    """Release under requests that begin before and end after it."""
    environment = os.environ | {
        "SEATRIAL_EMULATOR": NAME,
        "AWS_ENDPOINT_URL": tool.calls.url,
        "AWS_REGION": stage.info.region,
        "AWS_DEFAULT_REGION": stage.info.region,
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "NO_COLOR": "1",
    }
    _settled(stage)
    code, said = 0, dict[str, None]()
    commands = tool.commands(digest)
    tool.calls.taken()
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "samples"
        with Load(Aim(stage.url, (_PATH,)), RATE, output, at_most=_AT_MOST * len(commands)) as load:
            load.wait_for_answers(30)
            begun = time.perf_counter()
            for command in commands:
                done = subprocess.run(
                    command, cwd=stage.project, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                    text=True, timeout=_AT_MOST, check=False,
                )  # fmt: skip
                code = done.returncode
                said[tool.said(done.stdout, done.stderr)] = None
                if code:
                    break
            took = time.perf_counter() - begun
            load.stop()
            samples = load.samples()
    calls = tool.calls.taken()
    reads = sum(count for name, count in calls.items() if name.startswith(_READS))
    failed = sum(sample.failed for sample in samples)
    return Release(
        code, took, reads, calls.total() - reads, len(samples), failed, "; ".join(said), _serving(stage, digest, sound)
    )


def _settled(stage: Stage) -> None:
    """Wait until ECS has ended every deployment: ecs-deploy ends before, and `services-stable` does not ask."""
    ecs, units = Ecs(stage.aws, names.cluster(stage.settings)), tuple(stage.settings.services)
    until = time.monotonic() + _AT_MOST
    while any(each.primary and each.primary.rollout_state == "IN_PROGRESS" for each in ecs.services(units).values()):
        if time.monotonic() > until:
            raise RuntimeError("a deployment does not end")
        time.sleep(stage.aws.pace)


def _serving(stage: Stage, digest: str, sound: str | None) -> str:
    """Return what the web tasks that run now were started from."""
    ecs = Ecs(stage.aws, names.cluster(stage.settings))
    running = {
        image
        for task in ecs.tasks_of("web")
        if task.status == "RUNNING"
        for image in _images(ecs.task_definition(task.task_definition).document)
    }
    words = {digest: "new", sound: "old"}
    return " and ".join(sorted({words.get(image, "another") for image in running})) or "nothing"


def _images(document: Mapping[str, list[dict[str, str]]]) -> Iterator[str]:
    for container in document["containerDefinitions"]:
        yield container["image"].partition("@")[2]


def _recovered(stage: Stage, tool: Tool, sound: str) -> None:
    """Put the good version everywhere, so that the next release starts from where the one before started."""
    again = _released(stage, tool, sound)
    if again.code:
        raise RuntimeError(f"the good version cannot be released after a doomed one: {again.said}")


def _pushed(stage: Stage) -> str:
    """Build the project as it is committed, push it, and return its digest."""
    settings = stage.settings
    built = images.build(settings, stage.project, "HEAD", "bundle", progress=lambda _line: None)
    login = Ecr(stage.aws, names.repository(settings)).login()
    return built.push(app_stack(settings, stage.aws).repository_uri, login.username, login.password)


@contextmanager
def _restored(project: Path) -> Iterator[None]:
    """Go back to the commit of before at the end."""
    git = ["git", "-C", str(project)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield
    finally:
        subprocess.run([*git, "reset", "--quiet", "--hard", head], check=True)


def _never_ready(project: Path) -> None:
    _append(project / "health" / "views.py", "def ready(request):\n    return HttpResponse(status=503)\n")


def _exits(project: Path) -> None:
    _append(project / "stockweb" / "wsgi.py", "raise RuntimeError('the new version cannot start')\n")


def _migration_fails(project: Path) -> None:
    migrations = project / "parts" / "migrations"
    last = max(path.stem for path in migrations.glob("0*.py"))
    (migrations / "9999_fails.py").write_text(_MIGRATION.replace("{last}", last), encoding="utf-8")


_MIGRATION = """
from django.db import migrations


def fail(apps, schema_editor):
    raise ValueError("the migration's own mistake")


class Migration(migrations.Migration):
    dependencies = [("parts", "{last}")]
    operations = [migrations.RunPython(fail)]
"""

DOOMS = (
    Doom("it is never ready (503)", _never_ready),
    Doom("it ends when it starts", _exits),
    Doom("its migration fails", _migration_fails),
)


def _append(file: Path, code: str) -> None:
    file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{code}", encoding="utf-8")


def _last_line(output: str, errors: str) -> str:
    """Return the last line that says how it went; where none does, the last one that says something."""
    lines = [line.strip() for line in (output + errors).splitlines() if re.search(r"\w", line)]
    telling = [line for line in lines if re.search(r"succe|fail|error|stopped", line, re.IGNORECASE)]
    telling = [line for line in telling if "deregister" not in line]
    return next(reversed(telling or lines), "")


def _message(output: str, errors: str) -> str:
    """Return the sentence in which seatrial says how it ended."""
    try:
        answer = json.loads(output)
    except ValueError:
        return _last_line(output, errors)
    return str(answer["error"]["message"] if "error" in answer else answer["message"])


def _good(releases: Mapping[str, list[Release]]) -> Table:
    rows = []
    for name, each in releases.items():
        rows.append((
            name,
            f"{sum(one.failed for one in each)} of {sum(one.requests for one in each)}",
            seconds([one.seconds for one in each]),
            f"{median([one.reads for one in each]):.0f}",
            f"{median([one.writes for one in each]):.0f}",
        ))  # fmt: skip
    return Table(("a good version", "failed requests", "time", "calls that read", "calls that change"), tuple(rows))


def _doomed(releases: Sequence[tuple[Doom, str, Release]]) -> Table:
    rows = tuple(
        (
            doom.title,
            name,
            f"{it.failed} of {it.requests}",
            f"{it.seconds:.1f} s",
            str(it.code),
            it.serving,
            it.said.replace("|", "\\|"),
        )
        for doom, name, it in releases
    )
    columns = ("a doomed version", "by", "failed requests", "time", "exit code", "serving", "what is said at the end")
    return Table(columns, rows)
