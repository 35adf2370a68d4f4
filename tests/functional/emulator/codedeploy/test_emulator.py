"""CodeDeploy in the whole emulator: images from its registry, tasks of its process runtime, functions, real traffic."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from seatrial.images.layout import Blob, Layout
from seatrial.images.registry import Credentials, push
from tests.functional.emulator.codedeploy.support import BlueGreen
from tests.functional.emulator.ecs.support import Rig
from tests.functional.emulator.runtime.support import layer
from tests.functional.emulator.support import emulator

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"VERSION"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Answer).serve_forever()
"""


def image(version: str) -> Layout:
    """A source bundle whose program answers with its version."""
    config = {
        "os": "linux",
        "config": {"WorkingDir": "/app", "Labels": {"seatrial.bundle": "1"}, "Cmd": ["python", "-u", "main.py"]},
    }
    content = layer({"app/main.py": PROGRAM.replace("VERSION", version)})
    return Layout(
        Blob("application/vnd.oci.image.config.v1+json", json.dumps(config).encode()),
        (Blob("application/vnd.oci.image.layer.v1.tar", content),),
    )


class Load:
    """Asks a URL on and on; ``told`` counts the answers and the kinds of failure."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self.told: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Counter[str]:
        self._thread.start()
        return self.told

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.01):
            try:
                self.told[read(self._url)] += 1
            except OSError as error:
                self.told[type(error).__name__] += 1


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def listener(rig: Rig, port: int) -> str:
    """Where a listener really is, as the status page says."""
    page: dict[str, Any] = json.loads(read(f"{rig.endpoint}/_seatrial/status"))
    return str(next(each["url"] for each in page["listeners"] if each["listener"] == f"HTTP {port}"))


def test_a_good_release_under_load_and_one_that_fails_its_test(tmp_path: Path) -> None:
    with emulator(tmp_path, time_scale=0.005) as running:
        nothing = cast("Any", None)
        rig = Rig(nothing, nothing, nothing, running.info.endpoint)
        ecr = rig.client("ecr")
        uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        login = Credentials(*base64.b64decode(token).decode().split(":"))
        revisions = []
        for version in ("v1", "v2", "v3"):
            digest = push(image(version), uri, version, login, lambda _said: None)
            revisions.append(rig.define(f"{uri}@{digest}"))
        shop = BlueGreen(rig)
        shop.build()
        shop.create(revisions[0], autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
        with Load(listener(rig, 80)) as told:
            smoke, good = shop.hook("smoke", "Failed"), shop.hook("good")
            canary = "CodeDeployDefault.ECSCanary10Percent5Minutes"
            shop.ended(shop.deploy(revisions[1], {"AfterAllowTestTraffic": good}, deploymentConfigName=canary))
            failed = shop.ended(shop.deploy(revisions[2], {"AfterAllowTestTraffic": smoke}), "Failed")
            shop.ended(failed["rollbackInfo"]["rollbackDeploymentId"])
        assert set(told) == {"v1", "v2"}, told
        assert read(listener(rig, 80)) == "v2"
        assert rig.service()["taskDefinition"] == revisions[1]
