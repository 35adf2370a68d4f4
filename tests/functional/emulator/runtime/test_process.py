"""Containers as plain processes, for real: output, exit codes, environments, images, volumes."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.addresses import private_address
from seatrial.emulator.runtime import HostMount, ImageError
from seatrial.emulator.runtime.process import ProcessRuntime
from tests.functional.emulator.runtime.support import (
    Log,
    a_terminal_works,
    bundle,
    layer,
    program,
    push,
    run_to_end,
    settings,
    spec,
)

if TYPE_CHECKING:
    from seatrial.emulator.runtime.registry import Registry


def test_output_comes_line_by_line_from_both_streams(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "import os; os.write(1, b'out\\n'); os.write(2, b'err\\xff\\n'); os.write(1, b'rest')")
    assert run_to_end(runtime, spec(image)) == (0, ["out", "err\ufffd", "rest"])


def test_a_person_has_a_terminal_inside(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "import threading; threading.Event().wait()")
    container = runtime.start(spec(image, environment={"COLOUR": "blue"}), Log())
    a_terminal_works(container)
    held = container.execute(["sh", "-c", "trap '' HUP INT TERM; echo ready; sleep 600"])
    assert b"ready" in held.read()
    held.close()  # nothing that was started stays
    missing = container.execute(["no-such-program"])
    assert missing.read() == b""
    missing.close()
    left = container.execute(["sleep", "600"])
    container.kill()
    assert left.read() == b""
    left.close()
    container.close()
    with pytest.raises(OSError, match="the container has ended"):
        container.execute(["true"])


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["python", "-c", "raise SystemExit(7)"], 7),
        (["sh", "-c", "kill -SEGV $$"], 128 + signal.SIGSEGV),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["true"], 0),
    ],
)
def test_exit_codes_are_dockers(runtime: ProcessRuntime, registry: Registry, command: list[str], code: int) -> None:
    assert run_to_end(runtime, spec(program(registry, ""), *command))[0] == code


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (["no-such-program"], 'exec: "no-such-program": executable file not found in $PATH'),
        (["/no/such/program"], 'exec: "/no/such/program": no such file or directory'),
        (["/app/main.py"], "permission denied"),
    ],
)
def test_a_command_that_cannot_start_is_an_error(
    runtime: ProcessRuntime, registry: Registry, command: list[str], text: str
) -> None:
    with pytest.raises(OSError, match="unable to start container process") as caught:
        runtime.start(spec(program(registry, ""), *command), Log())
    assert text in str(caught.value)
    assert caught.value.errno in (errno.ENOENT, errno.EACCES)


def test_the_environment_is_exactly_the_specified_one(
    runtime: ProcessRuntime, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the emulator's own")
    image = bundle(
        registry,
        {"main.py": "import json, os; print(json.dumps(dict(os.environ)))"},
        name="env:1",
        Cmd=["python", "main.py"],
        Env=["A=image", "B=image", "PYTHONPATH=/app/lib:/app", "OTHER=/apples", "PATH=/opt/venv/bin"],
    )
    what = spec(
        image, environment={"B": "task", "SECRET": "s3cret", "BASE_URL": "/app"}, ports=[8000], task_ports=[8000, 9000]
    )
    code, lines = run_to_end(runtime, what)
    got = json.loads(lines[0])
    root = runtime._ready[registry.store.manifest("env", "1").digest].root  # type: ignore[union-attr]
    assert code == 0
    assert got.pop("PATH").endswith("/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    assert not Path(got.pop("HOME")).exists()
    assert not Path(got.pop("TMPDIR")).exists()
    assert Path(got.pop("VIRTUAL_ENV")).is_dir()
    assert got == {
        "A": "image",
        "B": "task",
        "SECRET": "s3cret",
        "BASE_URL": "/app",
        "PYTHONPATH": f"{root}/app/lib:{root}/app",
        "OTHER": "/apples",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SEATRIAL_TASK_ADDRESS": what.address,
        "SEATRIAL_TASK_LOOPBACK": private_address(what.address),
        "SEATRIAL_TASK_PORTS": "8000,9000",
    }


def test_secrets_are_on_no_command_line(runtime: ProcessRuntime, registry: Registry) -> None:
    log = Log()
    image = program(registry, "import time; print('ready'); time.sleep(600)")
    container = runtime.start(spec(image, environment={"PASSWORD": "hush-hush"}), log)
    log.wait_for("ready")
    main = int(container.runtime_id)
    supervisor = int(Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()[1])
    for pid in (main, supervisor, os.getpid()):
        assert b"hush-hush" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    container.kill()
    container.close()


def test_standard_input_is_empty_and_no_descriptor_leaks(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        "import os, sys; print(repr(sys.stdin.read()), *sorted(os.listdir('/proc/self/fd')))",
    )
    assert run_to_end(runtime, spec(image)) == (0, ["'' 0 1 2 3"])  # the fourth reads the directory


def test_sigpipe_ends_a_program_as_it_would_in_a_container(runtime: ProcessRuntime, registry: Registry) -> None:
    assert run_to_end(runtime, spec(program(registry, ""), "sh", "-c", "yes | head -1; echo over")) == (
        0,
        ["y", "over"],
    )


def test_a_volume_is_shared_by_the_containers_of_a_task(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "")
    mounts = [HostMount("static", "/srv/static")]
    keeper = runtime.start(spec(image, "sleep", "600", mounts=mounts), Log())
    assert run_to_end(runtime, spec(image, "sh", "-c", "echo hello > /srv/static/a", mounts=mounts)) == (0, [])
    assert run_to_end(runtime, spec(image, "cat", "/srv/static/a", mounts=mounts)) == (0, ["hello"])
    keeper.kill()
    keeper.close()
    assert not list((runtime._settings.state / "volumes").iterdir())


@pytest.mark.parametrize("name", ["app:absent", "nowhere:1", "app@sha256:" + "0" * 64])
def test_a_missing_image_is_told_in_the_words_of_ecs(runtime: ProcessRuntime, registry: Registry, name: str) -> None:
    program(registry, "")
    image = f"{registry.host}/{name}"
    with pytest.raises(ImageError) as caught:
        runtime.pull(image)
    assert str(caught.value) == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )


def test_images_that_need_a_container_are_refused(runtime: ProcessRuntime, registry: Registry) -> None:
    push(registry, "foreign:1", [layer({"bin/sh": ""})], {"Cmd": ["sh"]})
    for image in (f"{registry.host}/foreign:1", "nginx:latest"):
        with pytest.raises(ImageError, match="plain processes"):
            runtime.pull(image)


def test_an_image_is_found_by_awss_name_and_by_digest(runtime: ProcessRuntime, registry: Registry) -> None:
    program(registry, "print('found')", name="team/app:1")
    digest = registry.store.manifest("team/app", "1").digest  # type: ignore[union-attr]
    aws = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    for image in (f"{aws}/team/app:1", f"{registry.host}/team/app@{digest}"):
        assert run_to_end(runtime, spec(image)) == (0, ["found"])


def test_prepare_commands_run_once_for_an_image(place: Path, registry: Registry) -> None:
    image = bundle(
        registry,
        {"main.py": "print(open('built').read())"},
        name="prepared:1",
        labels={"seatrial.prepare": json.dumps([["sh", "-c", 'echo "$STAGE" >> /app/built']])},
        Env=["STAGE=built once"],
        Cmd=["python", "main.py"],
    )
    for _ in range(2):  # the second finds it on disk, as a restarted emulator does
        runtime = ProcessRuntime(settings(place / "state"), registry)
        assert run_to_end(runtime, spec(image)) == (0, ["built once", ""])


def test_what_a_task_writes_into_its_image_is_gone_with_the_run(place: Path, registry: Registry) -> None:
    image = bundle(
        registry,
        {"main.py": "f = open('x', 'a+'); f.write('x'); f.seek(0); print(f.read())"},
        name="own:1",
        Cmd=["python", "main.py"],
    )
    for _ in range(2):
        runtime = ProcessRuntime(settings(place / "state"), registry)
        assert run_to_end(runtime, spec(image)) == (0, ["x"])


def test_a_failing_prepare_command_makes_the_image_unavailable(runtime: ProcessRuntime, registry: Registry) -> None:
    image = bundle(
        registry, {}, name="broken:1", labels={"seatrial.prepare": '[["sh", "-c", "echo no such setting; exit 4"]]'}
    )
    for _ in range(2):  # and leaves nothing behind that a second attempt would take for whole
        with pytest.raises(ImageError, match=r"(?s)exit code 4.*no such setting"):
            runtime.pull(image)
