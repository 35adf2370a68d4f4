"""The example without seatrial: ``compose.yaml`` and ``Dockerfile`` are sound, and the stack really runs."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tomllib
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from websockets.sync.client import connect

from tests.functional.emulator.runtime.support import until
from tests.functional.example.composed import BIN, EXAMPLE, README, client, composed, copied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.example.composed import Composed

COMPOSE = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: They end by themselves, or answer nobody.
UNASKED = {"migrate", "static", "beat"}
SECRETS = ("DJANGO_SECRET_KEY", "PGPASSWORD", "FLOWER_PASSWORD")
MONGODB_SECRETS = ("MONGODB_PASSWORD", "MONGODB_ROOT_PASSWORD", "MONGO_EXPRESS_SECRET")
#: What README.md exports to have MongoDB in the place of PostgreSQL.
ON_MONGODB = {"COMPOSE_FILE": re.findall(r"^export COMPOSE_FILE=(\S+)", README, re.MULTILINE)[0]}
PASSWORD = "correct-horse-battery"


# ---- the files


def test_the_dockerfile_is_what_hadolint_wants() -> None:
    done = subprocess.run([BIN / "hadolint", EXAMPLE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("changed", "files"), [("compose.yaml", {}), ("compose.mongo.yaml", ON_MONGODB)])
def test_the_compose_files_are_valid(tmp_path: Path, changed: str, files: dict[str, str]) -> None:
    """The client checks them against the Compose Specification's JSON Schema, which it carries."""
    project = furnished(tmp_path)
    done = client(project, "--profile", "dev", "config", "--quiet", environment=files)
    assert (done.returncode, done.stderr) == (0, "")
    file = project / changed
    file.write_text(file.read_text().replace("mem_limit:", "memory_limit:"))
    assert "memory_limit" in client(project, "--profile", "dev", "config", "--quiet", environment=files).stderr


@pytest.mark.parametrize(
    ("names", "given"), [(SECRETS, {}), (MONGODB_SECRETS, ON_MONGODB | dict.fromkeys(SECRETS, "of-an-older-env"))]
)
def test_what_is_missing_is_named(tmp_path: Path, names: tuple[str, ...], given: dict[str, str]) -> None:
    done = client(copied(tmp_path), "--profile", "dev", "config", "--quiet", environment=given)
    assert done.returncode != 0
    for name in names:
        assert f"required variable {name} is missing a value: compose/environment makes an .env" in done.stderr


def test_passwords_are_made_once_and_kept(tmp_path: Path) -> None:
    project = copied(tmp_path)
    script, file = project / "compose" / "environment", project / ".env"
    subprocess.run([script], check=True)
    made = file.read_text()
    assert [line.split("=")[0] for line in made.splitlines()] == [*SECRETS, *MONGODB_SECRETS]
    assert all(len(line.split("=")[1]) >= 32 for line in made.splitlines())
    assert file.stat().st_mode & 0o077 == 0
    again = subprocess.run([script], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "there is an .env already" in again.stderr
    assert file.read_text() == made


def test_the_example_environment_names_every_variable() -> None:
    files = ("compose.yaml", "compose.mongo.yaml")
    asked = {name for file in files for name in re.findall(r"\$\{(\w+)", (EXAMPLE / file).read_text())}
    named = re.findall(r"^#?(\w+)=(.*)$", (EXAMPLE / ".env.example").read_text(), re.MULTILINE)
    assert {name for name, _ in named} == asked
    secrets = {*SECRETS, *MONGODB_SECRETS}
    assert {name for name, value in named if name in secrets and not value} == secrets


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]
    assert re.search(r":v?\d+(\.\d+)+(-\w+)?$", service["image"]) or "build" in service
    assert ("healthcheck" in service) == (name not in UNASKED)
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_compose_runs_what_seatrial_runs() -> None:
    released = tomllib.loads((EXAMPLE / "seatrial.toml").read_text())
    units = released["services"] | {"migrate": released["tasks"]["migrate"]}
    for name, unit in units.items():
        assert SERVICES[name].get("command", unit["command"]) == unit["command"]  # the web's is the image's own


def test_mongodb_takes_the_place_of_postgresql_and_nothing_else_changes(tmp_path: Path) -> None:
    project = furnished(tmp_path)
    before, after = services(project, {}), services(project, ON_MONGODB)
    assert before.keys() - after.keys() == {"database", "adminer"}
    assert after.keys() - before.keys() == {"documents", "mongo-express"}
    application = {name for name, service in before.items() if "build" in service}
    of_the_store = {"image", "build", "environment", "depends_on"}
    for name in before.keys() & after.keys():
        left_out = of_the_store if name in application else set()
        assert without(after[name], left_out) == without(before[name], left_out), name
    for name in application:
        service = after[name]
        assert (service["image"], service["build"]["args"]) == ("stockweb:mongo", {"STORE": "mongo"})
        given = dict(service["environment"])
        if name != "static":  # which needs no store
            assert given.pop("STOCKWEB_STORE") == "mongo"
            assert given.pop("MONGODB_URI").endswith("@documents:27017/stockweb?replicaSet=stockweb")
        assert given == before[name]["environment"]
        instead = {"documents" if each == "database" else each for each in before[name].get("depends_on", {})}
        assert service.get("depends_on", {}).keys() == instead


def test_mongodb_is_confined_watched_and_asks_for_passwords(tmp_path: Path) -> None:
    project = furnished(tmp_path)
    secrets = dict(line.split("=") for line in (project / ".env").read_text().split())
    found = services(project, ON_MONGODB)
    documents, express = found["documents"], found["mongo-express"]
    for service in (documents, express):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["mem_limit"]
        assert service["user"] != "root"
        assert service["healthcheck"]
        assert all(
            secret not in json.dumps([service.get("command"), service["healthcheck"]]) for secret in secrets.values()
        )
    assert (documents.get("ports"), list(documents["networks"])) == (None, ["inside"])
    assert "documents" in [volume["source"] for volume in documents["volumes"]]
    assert [port["host_ip"] for port in express["ports"]] == ["127.0.0.1"]
    assert express["profiles"] == ["dev"]
    assert express["environment"]["ME_CONFIG_BASICAUTH_PASSWORD"] == secrets["MONGODB_PASSWORD"]
    mounted = next(each for each in documents["volumes"] if each["type"] == "bind")
    for script in (documents["entrypoint"][-1], documents["healthcheck"]["test"][-1]):
        assert (project / "compose" / "mongo" / script.removeprefix(mounted["target"] + "/")).is_file()


def furnished(where: Path) -> Path:
    """Return a copy of the example with the passwords that its script makes."""
    project = copied(where)
    subprocess.run([project / "compose" / "environment"], check=True)
    return project


def services(project: Path, files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the services as the client understands them."""
    done = client(project, "--profile", "dev", "config", "--format", "json", environment=files)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


def without(service: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in service.items() if key not in keys}


# ---- the stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    names = ("STOCKWEB_PORT", "MAIL_PORT", "FLOWER_PORT", "ADMINER_PORT")
    with composed(tmp_path_factory.mktemp("compose"), dict(zip(names, free_ports(len(names)), strict=True))) as stack:
        yield stack


@pytest.mark.timeout(300)
def test_the_stack_serves_works_and_keeps_its_data(stack: Composed) -> None:
    stack.documented("up --detach")
    url = f"http://127.0.0.1:{stack.ports['STOCKWEB_PORT']}"
    until(lambda: serves(f"{url}/livez"), "the proxy")
    stack.documented("exec web python manage.py seed_data")
    let_in(url, link := stack.documented("exec web python manage.py invite").split()[-1])
    assert link not in stack("logs", "proxy", "web")

    static_files_come_from_the_proxy(url)
    nothing_runs_as_root_or_writes_to_its_image(stack)
    with connect(f"{url.replace('http', 'ws')}/ws/movements") as socket_:
        assert "position" in json.loads(socket_.recv(timeout=20))
        left = take_one(url)
        told = json.loads(socket_.recv(timeout=20))
    assert (told["part"]["id"], told["balance"]) == (1, left)
    the_worker_mails_what_is_low(stack)
    flower_asks_for_a_login(stack)

    stack.documented("--profile dev down")
    assert stack.containers() == []
    assert stack.volumes() == {"database", "queue", "static"}
    stack.documented("up --detach")
    until(lambda: serves(f"{url}/livez"), "the proxy")
    assert take_one(url) == left - 1
    stack.documented("--profile dev down --volumes")
    assert (stack.containers(), stack.volumes()) == ([], set())


def serves(url: str) -> bool:
    """Whether what nothing waits for listens already."""
    try:
        return requests.get(url, timeout=20).ok
    except requests.exceptions.ConnectionError:
        return False


def let_in(url: str, link: str) -> None:
    """Set the password by the link of an invitation."""
    with requests.Session() as browser:
        form = browser.get(url + link, timeout=20)
        passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post(form.url, passwords | token, headers={"Origin": url}, timeout=20)
    assert answer.url == f"{url}/accounts/login/"


def static_files_come_from_the_proxy(url: str) -> None:
    page = requests.get(f"{url}/parts/", timeout=20)
    assert page.status_code == 200
    assert page.headers["X-Stockweb-Version"]
    assert (page.headers["Server"], page.headers["Content-Encoding"]) == ("nginx", "gzip")
    style = re.search(r'href="(/static/pages/stockweb\.\w+\.css)"', page.text)
    assert style is not None
    answer = requests.get(url + style[1], timeout=20)
    assert "--accent" in answer.text
    assert "X-Stockweb-Version" not in answer.headers  # which the application would have added
    assert (answer.headers["Content-Type"], answer.headers["Content-Encoding"]) == ("text/css", "gzip")
    assert "immutable" in answer.headers["Cache-Control"]
    assert requests.post(url, data=b"x" * 11_000_000, timeout=20).status_code == 413


def nothing_runs_as_root_or_writes_to_its_image(stack: Composed) -> None:
    for each in stack.containers():
        name = each["Config"]["Labels"]["com.docker.compose.service"]
        assert each["HostConfig"]["ReadonlyRootfs"], name
        assert each["Config"]["User"] not in ("", "0", "root"), name
        assert each["HostConfig"]["Memory"] > 0, name


def take_one(url: str) -> int:
    """Log in, take one of the first part by the form on its page, and return how many are left there."""
    with requests.Session() as browser:
        browser.get(f"{url}/accounts/login/", timeout=20)
        browser.headers["Origin"] = url
        login = {"username": "keeper", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert "Log out keeper" in browser.post(f"{url}/accounts/login/", login, timeout=20).text
        page = browser.get(f"{url}/parts/1/", timeout=20).text
        box = re.search(r'<option value="(\d+)"', page)
        assert box is not None, page
        form = {"action": "take", "box": box[1], "quantity": 1, "key": str(uuid.uuid4()), "next": "/parts/1/"}
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post(f"{url}/parts/1/change/", form | token, timeout=20)
    said = re.search(r"Took 1 . .*: (\d+) there now\.", answer.text)
    assert said is not None, answer.text
    return int(said[1])


def the_worker_mails_what_is_low(stack: Composed) -> None:
    """From the web process by the queue to the worker, and from it to the mail catcher."""
    stack.python("web", "-c", "from stockweb.celery import app; app.send_task('stock.tasks.send_low_stock_digest')")
    inbox = f"http://127.0.0.1:{stack.ports['MAIL_PORT']}/api/v1/messages"
    mails = until(lambda: requests.get(inbox, timeout=20).json()["messages"], "the digest")
    assert mails[0]["Subject"].startswith("Low stock: ")
    check = SERVICES["worker"]["healthcheck"]["test"][1].replace("$$", "$")
    assert "pong" in stack("exec", "worker", "sh", "-c", check)


def flower_asks_for_a_login(stack: Composed) -> None:
    stack.documented("up --detach flower", without="adminer")  # whose image cannot be had here
    url = f"http://127.0.0.1:{stack.ports['FLOWER_PORT']}/flower"
    until(lambda: serves(f"{url}/healthcheck"), "Flower")
    password = dict(line.split("=") for line in (stack.project / ".env").read_text().split())["FLOWER_PASSWORD"]
    assert requests.get(f"{url}/api/workers", timeout=20).status_code == 401
    assert requests.get(f"{url}/api/workers", auth=("flower", "wrong"), timeout=20).status_code == 401

    def workers() -> Any:
        return requests.get(f"{url}/api/workers?refresh=1", auth=("flower", password), timeout=20).json()

    assert "stockweb" in str(until(workers, "a worker"))
    shown = stack.python("flower", "-c", "print(open('/proc/1/cmdline').read())")
    assert "flower" in shown
    assert password not in shown


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nothing listens on, all different."""
    with socket.socket() as first, socket.socket() as second, socket.socket() as third, socket.socket() as fourth:
        held = (first, second, third, fourth)[:count]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
