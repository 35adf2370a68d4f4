"""``infra apply`` where traffic is shifted, on an emulator: made, changed and changed back. In this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ecs import Ecs
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.session import Aws
from seatrial.errors import ReleaseFailed, UsageError
from seatrial.infra import Applied, apply
from seatrial.infra.live import look
from seatrial.stack.build import build
from tests.functional.emulator.support import Running, emulator, eventually
from tests.unit.stack.support import WEB, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.config.models import Settings

CLUSTER = "shop-production"
SERVICES: dict[str, Any] = {
    "web": WEB | {"routes": ["/*", "/api/*"]},
    "worker": {"role": "worker", "command": ["celery"]},
}
BLUE_GREEN = {"type": "blue_green", "bake": 0}


def shop(strategy: dict[str, Any] | None = None, **changes: Any) -> Settings:
    target = {"cloud": "emulator"} | ({"strategy": strategy} if strategy else {})
    return settings(**{"services": SERVICES, "smoke": {"home": {"path": "/"}}, "target": target} | changes)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("infra"), time_scale=0.01) as started:
        yield started


@pytest.fixture
def aws(running: Running) -> Aws:
    return Aws(running.info.region, endpoint=running.info.endpoint)


def actions(applied: Applied) -> list[str]:
    return [outcome.action for outcome in applied.stacks]


def at_rest(aws: Aws) -> bool:
    service = Ecs(aws, CLUSTER).services(["web"])["web"]
    return len(service.deployments) == 1 and service.deployments[0].rollout_state == "COMPLETED"


def rules(aws: Aws) -> list[str]:
    elb = aws.client("elbv2")
    return [
        rule["RuleArn"]
        for balancer in elb.describe_load_balancers()["LoadBalancers"]
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        if not rule["IsDefault"]
    ]


def forward(empty: str, serving: str) -> dict[str, Any]:
    groups = [{"TargetGroupArn": empty, "Weight": 0}, {"TargetGroupArn": serving, "Weight": 100}]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def shifted(aws: Aws) -> tuple[str, str, str]:
    """Return web's target group, its alternate one and the rule that users come by."""
    attachment = Ecs(aws, CLUSTER).services(["web"])["web"].attachments[0]
    assert attachment.alternate is not None
    assert attachment.production_rule is not None
    return attachment.target_group, attachment.alternate, attachment.production_rule


def weights(aws: Aws) -> Mapping[str, int]:
    primary, alternate, rule = shifted(aws)
    return next(each.weights for each in Elbv2(aws).forwards([primary, alternate]) if each.rule == rule)


def test_a_strategy_is_changed_by_an_update_that_keeps_the_rule_users_come_by(aws: Aws) -> None:
    assert actions(apply(shop(), aws)) == ["created", "created"]
    before = rules(aws)
    assert len(before) == 2
    said: list[str] = []
    applied = apply(shop(BLUE_GREEN), aws, said.append)
    assert actions(applied) == ["unchanged", "updated"]
    after = rules(aws)
    assert len(after) == 2  # one for users, one for tests
    assert len(set(before) & set(after)) == 1
    service = Ecs(aws, CLUSTER).services(["web"])["web"]
    assert (service.strategy, service.pauses) == ("BLUE_GREEN", ("POST_TEST_TRAFFIC_SHIFT",))
    assert service.attachments[0].production_rule in before
    assert Ecs(aws, CLUSTER).services(["worker"])["worker"].strategy == "ROLLING"
    assert applied.outputs["TestAddress"].endswith(":9443")
    assert any("goes on, for no release is being tested" in line for line in said)


def test_a_change_of_the_rule_writes_the_weights_that_ecs_has_set(aws: Aws) -> None:
    eventually(lambda: at_rest(aws))
    primary, alternate, _ = shifted(aws)
    before = weights(aws)
    assert before == {primary: 0, alternate: 100}
    more = SERVICES | {"web": SERVICES["web"] | {"routes": ["/*", "/api/*", "/admin/*"]}}
    assert actions(apply(shop(BLUE_GREEN, services=more), aws)) == ["unchanged", "updated"]
    assert weights(aws) == before
    assert look(shop(BLUE_GREEN), aws).alternate == frozenset({"web"})


def test_a_change_that_fails_leaves_the_weights_too(aws: Aws) -> None:
    primary, alternate, rule = shifted(aws)
    elb = aws.client("elbv2")
    elb.modify_rule(RuleArn=rule, Actions=[forward(alternate, primary)])  # as another release would
    more = SERVICES | {"events": {"role": "websocket", "command": ["daphne"], "port": 9000, "routes": ["/ws/*"]}}
    wanted = shop(BLUE_GREEN, services=more)
    taken = next(
        route.priority
        for each in build(wanted).app.services
        if each.balancing
        for route in each.balancing.routes
        if route.patterns == ("/ws/*",)
    )
    listener = elb.describe_rules(RuleArns=[rule])["Rules"][0]["RuleArn"].replace("listener-rule", "listener")
    blocker = elb.create_rule(
        ListenerArn=listener.rpartition("/")[0],
        Priority=taken,
        Conditions=[{"Field": "path-pattern", "Values": ["/blocked"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    with pytest.raises(ReleaseFailed, match="priority is in use"):
        apply(wanted, aws)
    assert weights(aws) == {primary: 100, alternate: 0}
    elb.delete_rule(RuleArn=blocker["Rules"][0]["RuleArn"])
    elb.modify_rule(RuleArn=rule, Actions=[forward(primary, alternate)])


def test_while_the_alternate_group_serves_the_strategy_cannot_become_rolling(aws: Aws) -> None:
    with pytest.raises(UsageError, match="the alternate target group of web serves") as caught:
        apply(shop(), aws)
    assert "release once more" in (caught.value.hint or "")
    service = Ecs(aws, CLUSTER).services(["web"])["web"]
    Ecs(aws, CLUSTER).update_service("web", service.task_definition, force=True)
    ecs = Ecs(aws, CLUSTER)
    created = service.deployments[0].created_at
    assert created is not None

    def let_go_on() -> bool:
        arns = [each.arn for each in ecs.service_deployments("web", since=created)]
        for each in ecs.describe_deployments(arns).values():
            if each.waiting:
                ecs.answer_hook(each.arn, each.waiting.id, go_on=True)
        return at_rest(aws)

    eventually(let_go_on)
    assert actions(apply(shop(), aws)) == ["unchanged", "updated"]
    assert Ecs(aws, CLUSTER).services(["web"])["web"].strategy == "ROLLING"
    assert len(rules(aws)) == 2
