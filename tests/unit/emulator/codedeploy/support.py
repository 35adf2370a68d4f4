"""The scripted AWS with services that CodeDeploy deploys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.unit.release.support import ARN, FakeAws, error

if TYPE_CHECKING:
    from seatrial.config.models import Settings
    from tests.unit.release.support import FakeClock

EVENTS = ("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic",
          "AllowTraffic", "AfterAllowTraffic")  # fmt: skip
WAITS = "InProgress TERMINATION_WAIT"
#: How a deployment goes where the test says nothing. "Ready" is skipped where nobody is waited for.
USUAL = ("Created", "InProgress Install", "Ready", "InProgress AllowTraffic", WAITS, "Succeeded")
UNDER_WAY = ("Created", "Queued", "InProgress", "Ready")


@dataclass
class FakeDeployment:
    """A deployment; ``status`` and ``stage`` are those of the last look, ``script`` what the next ones show."""

    id: str
    unit: str
    spec: dict[str, Any]
    configuration: str | None
    previous: str
    script: list[str]
    status: str = "Created"
    stage: str = ""
    problem: tuple[str, str] | None = None
    taken_back_by: str | None = None
    continued: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def target(self) -> str:
        return str(self.spec["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"])


class FakeCodeDeployAws(FakeAws):
    """Services that have traffic are CodeDeploy's.

    ``ways`` maps (service, ``family:revision``) to what its deployment shows, one a look: a status and the lifecycle
    event that goes on. "Failed EVENT CODE message" and "Stopped EVENT CODE message" are taken back by CodeDeploy.
    """

    def __init__(self, settings: Settings, clock: FakeClock, *, running: bool = True) -> None:
        super().__init__(settings, clock, running=running)
        self.pauses = bool(settings.smoke)
        self.ways: dict[tuple[str, str], list[str]] = {}
        self.made: dict[str, FakeDeployment] = {}
        self.takes_back = True

    def _mine(self, unit: str) -> bool:
        return self.settings.services[unit].routed

    def _shown(self, it: Any) -> dict[str, Any]:
        shown = super()._shown(it)
        if not self._mine(it.name):
            return shown
        task_set = {"id": "1", "status": "PRIMARY", "taskDefinition": it.definition, "stabilityStatus": "STEADY_STATE"}
        return shown | {
            "deployments": [],
            "taskSets": [task_set],
            "deploymentController": {"type": "CODE_DEPLOY"},
            "deploymentConfiguration": {},
        }

    def _update_service(self, service: str, taskDefinition: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: N803
        if not self._mine(service):
            assert taskDefinition is not None
            return super()._update_service(service, taskDefinition, **more)
        assert taskDefinition is None
        self.services[service].desired = more["desiredCount"]
        return {"service": self._shown(self.services[service])}

    def _get_deployment_group(self, applicationName: str, deploymentGroupName: str) -> dict[str, Any]:  # noqa: N803
        assert applicationName == "shop-production"
        ready = {"actionOnTimeout": "STOP_DEPLOYMENT" if self.pauses else "CONTINUE_DEPLOYMENT"}
        pair = {
            "targetGroups": [{"name": f"{deploymentGroupName}-1"}, {"name": f"{deploymentGroupName}-2"}],
            "prodTrafficRoute": {"listenerArns": ["arn:listener"]},
        }
        return {
            "deploymentGroupInfo": {
                "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
                "blueGreenDeploymentConfiguration": {"deploymentReadyOption": ready},
            }
        }

    def _list_deployments(self, deploymentGroupName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        mine = [each for each in self.made.values() if each.unit == deploymentGroupName]
        return {"deployments": [each.id for each in mine if each.status in UNDER_WAY]}

    def _create_deployment(self, deploymentGroupName: str, revision: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: N803
        if self._list_deployments(deploymentGroupName)["deployments"]:
            raise error("DeploymentLimitExceededException", "CreateDeployment", "one is under way")
        spec = json.loads(revision["appSpecContent"]["content"])
        service = self.services[deploymentGroupName]
        made = FakeDeployment(
            f"d-{len(self.made) + 1}",
            deploymentGroupName,
            spec,
            more.get("deploymentConfigName"),
            service.definition,
            [],
            why=str(more["description"]),
        )
        way = self.ways.get((made.unit, made.target.rpartition("/")[2]), list(USUAL))
        made.script = [each for each in way if each != "Ready" or self.pauses]
        self.made[made.id] = made
        return {"deploymentId": made.id}

    def _get_deployment(self, deploymentId: str) -> dict[str, Any]:  # noqa: N803
        it = self.made[deploymentId]
        if it.script and not (it.status == "Ready" and "READY_WAIT" not in it.continued):
            self._goes(it, it.script.pop(0))
        info: dict[str, Any] = {
            "deploymentId": it.id,
            "description": it.why,
            "status": it.status,
            "instanceTerminationWaitTimeStarted": it.stage == "TERMINATION_WAIT",
        }
        if it.problem:
            info["errorInformation"] = {"code": it.problem[0], "message": it.problem[1]}
        if it.taken_back_by:
            info["rollbackInfo"] = {"rollbackDeploymentId": it.taken_back_by}
        return {"deploymentInfo": info}

    def _goes(self, it: FakeDeployment, state: str) -> None:
        it.status, _, rest = state.partition(" ")
        it.stage, _, problem = rest.partition(" ")
        service = self.services[it.unit]
        if it.stage == "TERMINATION_WAIT" or it.status == "Succeeded":
            service.definition = it.target if it.id.startswith("d-") else it.previous
        if it.status in ("Failed", "Stopped"):
            code, _, message = problem.partition(" ")
            it.problem = (code or "MANUAL_STOP", message or "stopped")
            it.script = []
            if self.takes_back:
                self._take_back(it)

    def _take_back(self, it: FakeDeployment) -> None:
        back = FakeDeployment(f"back-{it.id}", it.unit, it.spec, None, it.previous, ["InProgress", "Succeeded"])
        it.taken_back_by = back.id
        self.made[back.id] = back

    def _get_deployment_target(self, deploymentId: str, targetId: str) -> dict[str, Any]:  # noqa: N803
        it = self.made[deploymentId]
        assert targetId == f"shop-production:{it.unit}"
        events = list(EVENTS)
        at = events.index(it.stage) if it.stage in events else len(events)
        ended = "Failed" if it.status in ("Failed", "Stopped") else "InProgress"
        if it.status == "Ready":
            at, ended = events.index("BeforeAllowTraffic"), "Pending"
        told = [
            {"lifecycleEventName": name, "status": "Succeeded" if n < at else ended if n == at else "Pending"}
            for n, name in enumerate(events)
        ]
        share = 100.0 if it.stage == "TERMINATION_WAIT" else 0.0
        sets = [{"taskSetLabel": "Green", "runningCount": 1, "desiredCount": 1, "trafficWeight": share}]
        return {"deploymentTarget": {"ecsTarget": {"lifecycleEvents": told, "taskSetsInfo": sets}}}

    def _stop_deployment(self, deploymentId: str, autoRollbackEnabled: bool) -> dict[str, Any]:  # noqa: N803
        it = self.made[deploymentId]
        if it.status not in UNDER_WAY:
            raise error("DeploymentAlreadyCompletedException", "StopDeployment", "it has ended")
        self.takes_back = autoRollbackEnabled
        it.script = []
        self._goes(it, f"Stopped {it.stage}".rstrip())
        self.takes_back = True
        return {"status": "Pending"}

    def _continue_deployment(self, deploymentId: str, deploymentWaitType: str) -> dict[str, Any]:  # noqa: N803
        it = self.made[deploymentId]
        at = {"READY_WAIT": it.status == "Ready", "TERMINATION_WAIT": it.stage == "TERMINATION_WAIT"}
        if not at[deploymentWaitType] or deploymentWaitType in it.continued:
            raise error("DeploymentIsNotInReadyStateException", "ContinueDeployment", "it does not wait")
        it.continued.append(deploymentWaitType)
        return {}


def stopped_task(
    definition: str, container: str, *, code: int | None, started_by: str, number: int = 0
) -> dict[str, Any]:
    """Return a task that has ended."""
    own = {"name": container, "lastStatus": "STOPPED"} | ({} if code is None else {"exitCode": code})
    return {
        "taskArn": f"{ARN}:task/shop-production/{number:031d}e",
        "taskDefinitionArn": definition,
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "startedBy": started_by,
        "stoppedReason": "Essential container in task exited",
        "group": "x",
        "containers": [own],
    }
