"""A client of CodeDeploy that nobody here wrote: ``aws ecs deploy``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from tests.functional.emulator.codedeploy.support import BlueGreen, appspec
from tests.functional.emulator.ecs.support import emulated_ecs
from tests.functional.emulator.ecs.test_clients import program

if TYPE_CHECKING:
    from pathlib import Path


def test_aws_ecs_deploy_registers_deploys_and_waits(tmp_path: Path) -> None:
    with emulated_ecs(tmp_path / "state", time_scale=0.002) as rig:
        shop = BlueGreen(rig)
        shop.build()
        shop.create(rig.define())
        container = {"name": "app", "image": "sleeper:2", "portMappings": [{"containerPort": 8000}]}
        definition = {
            "family": "app",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [container],
        }
        (tmp_path / "definition.json").write_text(json.dumps(definition))
        (tmp_path / "appspec.yaml").write_text(yaml.safe_dump(appspec("<TASK_DEFINITION>")))
        done = program(rig, "aws", "ecs", "deploy", "--cluster", "c", "--service", "web",
                       "--codedeploy-application", "shop", "--codedeploy-deployment-group", "shop",
                       "--task-definition", str(tmp_path / "definition.json"),
                       "--codedeploy-appspec", str(tmp_path / "appspec.yaml"))  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "to service 'web'" in done.stdout
        assert rig.service()["taskDefinition"].endswith("app:2")
        assert rig.tasks()[0]["containers"][0]["image"] == "sleeper:2"
