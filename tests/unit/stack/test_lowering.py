from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.errors import UsageError
from seatrial.stack import names
from seatrial.stack.build import build
from seatrial.stack.lowering import lower
from seatrial.stack.lowering.policies import WITHOUT_RESOURCE
from tests.unit.stack.support import (
    EVERYTHING,
    MATRIX,
    WEB,
    bundles,
    long_form,
    properties,
    resources_of_type,
    settings,
    template,
)

if TYPE_CHECKING:
    from seatrial.stack.graph import Bundle

BASE, APP = bundles(**EVERYTHING)
PRIVATE_BASE, _ = bundles(**MATRIX["private"])
PLAIN_BASE, PLAIN_APP = bundles(**MATRIX["plain-http"])


def statements(*bundles_: Bundle) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for bundle in bundles_:
        for resource in resources_of_type(bundle, "AWS::IAM::Role").values():
            for policy in long_form(resource.properties.get("Policies", [])):
                found += policy["PolicyDocument"]["Statement"]
        for resource in resources_of_type(bundle, "AWS::S3::BucketPolicy").values():
            found += long_form(resource.properties["PolicyDocument"])["Statement"]
    return found


def container(bundle: Bundle, template_name: str, name: str) -> dict[str, Any]:
    definition: dict[str, Any] = properties(bundle, template_name, f"{name}TaskDefinition")["ContainerDefinitions"][0]
    return definition


# --- releases are not stack updates ---------------------------------------------------------------------------------


def test_a_service_names_its_family_and_no_revision() -> None:
    assert properties(APP, "services", "WebService")["TaskDefinition"] == "shop-production-web"
    assert "WebTaskDefinition" in template(APP, "services").resources["WebService"].depends_on


def test_a_count_is_the_stacks_only_until_the_first_release() -> None:
    service = properties(APP, "services", "WebService")
    assert service["DesiredCount"] == {"Fn::If": ["WebIsReleased", {"Ref": "AWS::NoValue"}, 0]}
    assert long_form(template(APP, "services").conditions["WebIsReleased"]) == {
        "Fn::Equals": [{"Ref": "WebReleased"}, "true"]
    }
    assert APP.root.parameters["WebReleased"].default == "false"


def test_the_image_is_a_parameter_and_has_a_placeholder() -> None:
    assert APP.root.parameters[names.IMAGE_PARAMETER].default == ""
    passed = long_form(APP.root.resources["Services"].properties["Parameters"])
    assert passed["ImageUri"] == {
        "Fn::If": [
            "HasImage",
            {"Ref": "ImageUri"},
            {"Fn::Sub": ["${Repository}:none", {"Repository": {"Fn::ImportValue": "shop-base-RepositoryUri"}}]},
        ]
    }
    assert container(APP, "services", "Web")["Image"] == {"Ref": "ImageUri"}


def test_an_old_revision_stays_for_the_service_that_runs_it() -> None:
    definitions = resources_of_type(APP, "AWS::ECS::TaskDefinition")
    assert len(definitions) == 6
    assert {each.update_replace_policy for each in definitions.values()} == {"Retain"}


@pytest.mark.parametrize("name", MATRIX)
def test_the_app_has_the_outputs_that_a_release_reads(name: str) -> None:
    _, app = bundles(**MATRIX[name])
    strategy = MATRIX[name].get("target", {}).get("strategy", {"type": "rolling"})
    tested = "test_port" in strategy or strategy["type"] not in ("rolling", "codedeploy")
    expected = names.APP_OUTPUTS + (names.TEST_OUTPUTS if tested else ())
    assert tuple(app.root.outputs) == expected + (names.SITE_OUTPUTS if "site" in MATRIX[name] else ())


@pytest.mark.parametrize(
    ("bundle", "url"),
    [
        (APP, "https://shop.example.com"),
        (PLAIN_APP, {"Fn::Sub": ["http://${Host}", {"Host": {"Fn::ImportValue": "shop-base-LoadBalancerDns"}}]}),
    ],
)
def test_url(bundle: Bundle, url: object) -> None:
    assert long_form(bundle.root.outputs["Url"].value) == url


# --- network and load balancer --------------------------------------------------------------------------------------


def test_public_tasks_need_no_nat_gateway() -> None:
    assert not resources_of_type(BASE, "AWS::EC2::NatGateway")
    outputs = template(BASE, "network").outputs
    assert outputs["AssignPublicIp"].value == "ENABLED"
    assert long_form(outputs["TaskSubnets"].value) == {
        "Fn::Join": [",", [{"Ref": "PublicSubnetA"}, {"Ref": "PublicSubnetB"}]]
    }


def test_private_tasks_leave_through_one() -> None:
    assert len(resources_of_type(PRIVATE_BASE, "AWS::EC2::NatGateway")) == 1
    outputs = template(PRIVATE_BASE, "network").outputs
    assert outputs["AssignPublicIp"].value == "DISABLED"
    assert long_form(outputs["TaskSubnets"].value) == {
        "Fn::Join": [",", [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]]
    }


def test_data_is_never_in_a_subnet_with_a_route_in() -> None:
    for bundle in (BASE, PRIVATE_BASE):
        assert properties(bundle, "data", "DatabaseSubnets")["SubnetIds"] == {"Ref": "PrivateSubnets"}
        assert properties(bundle, "data", "CacheSubnets")["SubnetIds"] == {"Ref": "PrivateSubnets"}
    assert "PrivateDefaultRoute" not in template(BASE, "network").resources


def test_only_the_load_balancer_reaches_tasks_and_only_tasks_reach_data() -> None:
    ingress = properties(APP, "foundation", "TaskSecurityGroup")["SecurityGroupIngress"]
    assert [(each["FromPort"], each["ToPort"], each["SourceSecurityGroupId"]) for each in ingress] == [
        (port, port, {"Fn::ImportValue": "shop-base-LoadBalancerSecurityGroup"}) for port in (8000, 9000)
    ]
    for what, port in (("Database", 5432), ("Cache", 6379)):
        access = properties(APP, "foundation", f"{what}Access")
        assert access["GroupId"] == {"Fn::ImportValue": f"shop-base-{what}SecurityGroup"}
        assert access["SourceSecurityGroupId"] == {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}
        assert access["FromPort"] == access["ToPort"] == port
        assert "SecurityGroupIngress" not in properties(BASE, "data", f"{what}SecurityGroup")


def test_a_domain_means_https_and_a_redirect_to_it() -> None:
    redirect = properties(BASE, "ingress", "HttpListener")["DefaultActions"][0]
    assert redirect["Type"] == "redirect"
    assert redirect["RedirectConfig"]["StatusCode"] == "HTTP_301"
    https = properties(BASE, "ingress", "HttpsListener")
    assert https["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert "TLS13" in https["SslPolicy"]
    rules = resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    assert {each.properties["ListenerArn"].name for each in rules} == {"shop-base-HttpsListenerArn"}
    assert all(long_form(each.properties["Conditions"])[0]["Field"] == "host-header" for each in rules)


def test_no_domain_means_http() -> None:
    assert "HttpsListener" not in template(PLAIN_BASE, "ingress").resources
    assert properties(PLAIN_BASE, "ingress", "HttpListener")["DefaultActions"][0]["Type"] == "fixed-response"
    rules = resources_of_type(PLAIN_APP, "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    assert {each.properties["ListenerArn"].name for each in rules} == {"shop-base-HttpListenerArn"}


def test_a_certificate_is_made_only_where_none_is_named() -> None:
    assert not resources_of_type(BASE, "AWS::CertificateManager::Certificate")
    base, app = bundles(**MATRIX["emulator-domain"])
    assert resources_of_type(base, "AWS::CertificateManager::Certificate")
    assert not resources_of_type(app, "AWS::ElasticLoadBalancingV2::ListenerCertificate")
    assert resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerCertificate")


def test_a_rule_is_called_after_its_priority_so_that_it_outlives_a_move() -> None:
    before = resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerRule")
    services = EVERYTHING["services"]
    moved = services | {
        "events": services["events"] | {"routes": ["/ws/*"]},
        "web": services["web"] | {"routes": ["/*", "/sse/*"]},
    }
    after = resources_of_type(
        bundles(**EVERYTHING | {"services": moved})[1], "AWS::ElasticLoadBalancingV2::ListenerRule"
    )
    assert before.keys() == after.keys()


# --- database and cache ---------------------------------------------------------------------------------------------


def test_the_database_is_closed_encrypted_and_kept() -> None:
    resource = template(BASE, "data").resources["Database"]
    assert (resource.deletion_policy, resource.update_replace_policy) == ("Snapshot", "Snapshot")
    database = properties(BASE, "data", "Database")
    assert (
        database
        | {
            "StorageEncrypted": True,
            "StorageType": "gp3",
            "ManageMasterUserPassword": True,
            "PubliclyAccessible": False,
            "CopyTagsToSnapshot": True,
            "AutoMinorVersionUpgrade": True,
            "DeletionProtection": True,
            "BackupRetentionPeriod": 7,
            "EngineVersion": "18",
            "DBName": {"Ref": "DatabaseName"},
        }
        == database
    )


def test_the_cache_is_encrypted_and_takes_both_kinds_of_connection() -> None:
    cache = properties(BASE, "data", "Cache")
    assert cache["AtRestEncryptionEnabled"] is True
    assert cache["TransitEncryptionEnabled"] is True
    assert cache["TransitEncryptionMode"] == "preferred"


def test_what_is_not_wanted_is_not_there() -> None:
    base, app = bundles()
    assert [each.name for each in base.nested] == ["network", "ingress", "registry"]
    assert [each.name for each in app.nested] == ["foundation", "services"]
    assert not resources_of_type(app, "AWS::S3::Bucket")


def test_uploads_and_images_outlive_the_stack() -> None:
    for bundle, name, logical_id in ((APP, "foundation", "MediaBucket"), (BASE, "registry", "Repository")):
        resource = template(bundle, name).resources[logical_id]
        assert (resource.deletion_policy, resource.update_replace_policy) == ("RetainExceptOnCreate", "Retain")


def test_the_media_bucket_is_private() -> None:
    bucket = properties(APP, "foundation", "MediaBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket
    (deny,) = properties(APP, "foundation", "MediaBucketPolicy")["PolicyDocument"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("changes", "origins"),
    [
        ({"media": {}}, [{"Fn::Sub": ["http://${Host}", {"Host": {"Fn::ImportValue": "shop-base-LoadBalancerDns"}}]}]),
        ({"media": {}, "target": EVERYTHING["target"]}, ["https://shop.example.com"]),
        (
            {"media": {}, "site": {"source": "front", "build": "make"}, "target": EVERYTHING["target"]},
            ["https://shop.example.com", {"Ref": "SiteUrl"}],
        ),
        (
            {"media": {"origins": ["https://a.example", "http://localhost:5173"]}},
            ["https://a.example", "http://localhost:5173"],
        ),
        ({"media": {"origins": []}}, None),
    ],
)
def test_pages_of_these_origins_may_use_the_media_bucket(changes: dict[str, Any], origins: list[Any] | None) -> None:
    _, app = bundles(**changes)
    cors: Any = properties(app, "foundation", "MediaBucket").get("CorsConfiguration")
    if origins is None:
        assert cors is None
    else:
        (rule,) = cors["CorsRules"]
        assert rule["AllowedOrigins"] == origins
        assert {"GET", "POST"} <= set(rule["AllowedMethods"])


def test_images_are_scanned_and_tags_are_for_ever() -> None:
    repository = properties(BASE, "registry", "Repository")
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    (rule,) = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["countNumber"] == 200


# --- what runs ------------------------------------------------------------------------------------------------------


def test_a_task_definition() -> None:
    definition = properties(APP, "services", "WebTaskDefinition")
    assert (definition["Cpu"], definition["Memory"], definition["NetworkMode"]) == ("256", "512", "awsvpc")
    web = container(APP, "services", "Web")
    assert web["PortMappings"] == [{"ContainerPort": 8000, "Protocol": "tcp"}]
    assert web["StopTimeout"] == 30
    assert web["LogConfiguration"]["Options"]["awslogs-group"] == "/shop/production/web"
    assert "PortMappings" not in container(APP, "services", "Worker")


def test_where_variables_and_secrets_come_from() -> None:
    web = container(APP, "services", "Web")
    plain = {each["Name"]: each["Value"] for each in web["Environment"]}
    secret = {each["Name"]: each["ValueFrom"] for each in web["Secrets"]}
    database = {"Secret": {"Fn::ImportValue": "shop-base-DatabaseSecretArn"}}
    assert plain["PGHOST"] == {"Fn::ImportValue": "shop-base-DatabaseHost"}
    assert plain["PGPORT"] == {"Fn::ImportValue": "shop-base-DatabasePort"}
    assert plain["MEDIA_BUCKET"] == {"Ref": "MediaBucketName"}
    assert plain["REDIS_URL"]["Fn::Sub"][0] == "redis://${Host}:${Port}/0"
    assert secret["PGUSER"] == {"Fn::Sub": ["${Secret}:username::", database]}
    assert secret["PGPASSWORD"] == {"Fn::Sub": ["${Secret}:password::", database]}
    assert secret["DJANGO_SECRET_KEY"] == {"Ref": "DjangoSecretKeySecretArn"}
    assert secret["SSM_KEY"] == "arn:aws:ssm:eu-west-3:123456789012:parameter/shop/key"
    assert not plain.keys() & secret.keys()


def test_a_service_as_ecs_should_keep_it() -> None:
    web = properties(APP, "services", "WebService")
    assert web["DeploymentConfiguration"] == {
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "Strategy": "ROLLING",
        "LifecycleHooks": [],
        "BakeTimeInMinutes": 0,
        "Alarms": {"AlarmNames": [], "Enable": False, "Rollback": False},
    }
    assert web["AvailabilityZoneRebalancing"] == "ENABLED"
    assert web["HealthCheckGracePeriodSeconds"] == 60
    assert web["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"] == [{"Ref": "TaskSecurityGroup"}]


def test_a_scheduler_is_stopped_before_it_is_started() -> None:
    beat = properties(APP, "services", "BeatService")
    assert beat["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
    assert beat["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert beat["AvailabilityZoneRebalancing"] == "DISABLED"
    assert "LoadBalancers" not in beat
    assert "HealthCheckGracePeriodSeconds" not in beat


def test_a_service_waits_for_the_rules_that_lead_to_it() -> None:
    rules = set(resources_of_type(APP, "AWS::ElasticLoadBalancingV2::ListenerRule"))
    assert len(rules) == 3
    services = template(APP, "services").resources
    assert {*services["WebService"].depends_on, *services["EventsService"].depends_on} >= rules


def test_timings_come_from_the_file() -> None:
    health = {"path": "/up", "interval": 7, "timeout": 3, "healthy": 4, "unhealthy": 5, "codes": "200-299"}
    _, app = bundles(services={"web": WEB | {"health_check": health, "drain": 45}})
    group = properties(app, "services", "WebTargetGroup")
    assert (
        group
        | {
            "HealthCheckPath": "/up",
            "HealthCheckIntervalSeconds": 7,
            "HealthCheckTimeoutSeconds": 3,
            "HealthyThresholdCount": 4,
            "UnhealthyThresholdCount": 5,
            "Matcher": {"HttpCode": "200-299"},
            "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "45"}],
        }
        == group
    )


def test_a_job_runs_the_newest_revision_of_its_family() -> None:
    target = properties(APP, "tasks", "LowStockDigestSchedule")["Target"]
    assert target["EcsParameters"]["TaskDefinitionArn"]["Fn::Sub"].endswith(
        ":task-definition/shop-production-low-stock-digest"
    )
    policy = properties(APP, "tasks", "LowStockDigestScheduleRole")["Policies"][0]["PolicyDocument"]
    run, hand_over = policy["Statement"]
    assert all("task-definition/shop-production-low-stock-digest" in each["Fn::Sub"] for each in run["Resource"])
    assert run["Condition"] == {"ArnEquals": {"ecs:cluster": {"Ref": "ClusterArn"}}}
    assert hand_over["Action"] == "iam:PassRole"


# --- least privilege and secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRIX)
def test_a_wildcard_resource_only_where_the_action_knows_none(name: str) -> None:
    for statement in statements(*bundles(**MATRIX[name])):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if statement["Resource"] == "*":
            assert set(actions) <= WITHOUT_RESOURCE
        if statement["Effect"] == "Allow":
            assert not any("*" in action for action in actions)


def test_a_role_has_what_its_containers_need_and_no_more() -> None:
    execution = properties(APP, "foundation", "ExecutionRole")["Policies"][0]["PolicyDocument"]["Statement"]
    by_sid = {each["Sid"]: each for each in execution}
    assert by_sid["ReadSecrets"]["Resource"] == [
        {"Ref": "ApiKeySecret"},
        {"Ref": "DjangoSecretKeySecret"},
        "arn:aws:secretsmanager:eu-west-3:123456789012:secret:old-AbCdEf",
        {"Fn::ImportValue": "shop-base-DatabaseSecretArn"},
    ]
    assert by_sid["ReadParameters"]["Resource"] == ["arn:aws:ssm:eu-west-3:123456789012:parameter/shop/key"]
    assert len(by_sid["WriteLogs"]["Resource"]) == 6
    _, minimal = bundles()
    sids = [each["Sid"] for each in statements(minimal)]
    assert sids == ["RegistryLogin", "PullImage", "WriteLogs"]


@pytest.mark.parametrize(
    ("environment", "own", "on"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_ecs_exec_is_off_unless_it_is_turned_on(environment: bool, own: bool | None, on: bool) -> None:
    services = {"web": WEB | ({} if own is None else {"exec": own})}
    _, app = bundles(services=services, target={"cloud": "emulator", "exec": environment})
    assert properties(app, "services", "WebService")["EnableExecuteCommand"] is on
    found = [each for each in statements(app) if each["Sid"] == "ExecuteCommand"]
    assert [each["Action"] for each in found] == [
        [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")]
    ] * on


@pytest.mark.parametrize("name", MATRIX)
def test_no_template_has_a_secret_value(name: str) -> None:
    for bundle in bundles(**MATRIX[name]):
        for each in bundle.templates:
            for resource in each.resources.values():
                text = json.dumps(long_form(resource.properties))
                for key in ("SecretString", "MasterUserPassword", "AuthToken", "Password"):
                    assert f'"{key}"' not in text


def test_secrets() -> None:
    generated = properties(APP, "foundation", "DjangoSecretKeySecret")
    assert generated["Name"] == "shop/production/DJANGO_SECRET_KEY"
    assert generated["GenerateSecretString"]["PasswordLength"] == 50
    empty = properties(APP, "foundation", "ApiKeySecret")
    assert "GenerateSecretString" not in empty
    assert "put-secret-value --secret-id shop/production/API_KEY" in empty["Description"]
    assert "SsmKeySecret" not in template(APP, "foundation").resources


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"services": {"web": WEB}, "tasks": {"a-b": {"command": ["x"]}, "a--b": {"command": ["x"]}}}, "a-b and a--b"),
        ({"secrets": {"A_B": {}, "A__B": {}}}, "A_B and A__B"),
    ],
)
def test_names_that_cloudformation_cannot_tell_apart(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lower(build(settings(**changes)))


@pytest.mark.parametrize(
    ("name", "logical"),
    [("web", "Web"), ("low-stock-digest", "LowStockDigest"), ("DJANGO_SECRET_KEY", "DjangoSecretKey")],
)
def test_logical_names(name: str, logical: str) -> None:
    assert names.logical(name) == logical
    assert names.released_parameter("low-stock") == "LowStockReleased"
