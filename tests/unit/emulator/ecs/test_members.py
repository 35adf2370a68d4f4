"""Every member of a request has a fate, held against botocore's model of ECS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from seatrial.emulator.ecs.members import SHAPES, refused

if TYPE_CHECKING:
    from botocore.model import ServiceModel


@pytest.fixture(scope="module")
def ecs() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ecs")


@pytest.mark.parametrize("operation", ["RegisterTaskDefinition", "CreateService", "UpdateService", "RunTask"])
def test_requests_are_in_the_table(ecs: ServiceModel, operation: str) -> None:
    assert ecs.operation_model(operation).input_shape.name in SHAPES


@pytest.mark.parametrize("name", SHAPES)
def test_every_member_that_aws_has_is_acted_on_kept_or_refused_and_no_other(ecs: ServiceModel, name: str) -> None:
    ours, theirs = SHAPES[name], ecs.shape_for(name).members
    fates = [*ours.acted, *ours.kept, *ours.refused]
    assert sorted(fates) == sorted(theirs)
    for member, inner in ours.inner.items():
        assert member not in ours.refused
        assert getattr(theirs[member], "member", theirs[member]).name == inner


@pytest.mark.parametrize(
    ("shape", "value", "paths"),
    [
        ("RunTaskRequest", {"taskDefinition": "app", "count": 1}, ()),
        ("RunTaskRequest", {"placementStrategy": [], "volumeConfigurations": None}, ()),
        ("RunTaskRequest", {"volumeConfigurations": [{"name": "a"}]}, ("volumeConfigurations",)),
        (
            "RegisterTaskDefinitionRequest",
            {"containerDefinitions": [{"privileged": True}, {"privileged": True, "links": ["a"]}], "ipcMode": "task"},
            ("containerDefinitions.privileged", "containerDefinitions.links", "ipcMode"),
        ),
        ("RegisterTaskDefinitionRequest", {"volumes": [{"name": "a", "host": {}}]}, ()),
        ("CreateServiceRequest", {"serviceConnectConfiguration": {"enabled": False, "namespace": "a"}}, ()),
    ],
)
def test_what_is_refused_is_named_once_by_its_path(shape: str, value: dict[str, Any], paths: tuple[str, ...]) -> None:
    assert refused(shape, value) == paths
