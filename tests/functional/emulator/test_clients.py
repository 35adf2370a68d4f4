"""What the emulator offers beside its engines, through clients nobody here wrote: boto3 and the AWS CLI."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.ecs.stages import archive
from tests.functional.emulator.support import Running, emulator, environment, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("clients"), region="eu-west-3") as started:
        yield started


def aws(running: Running, *arguments: str) -> Any:
    """Run the AWS CLI and return its JSON, None where it prints nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "awscli", *arguments, "--output", "json"],
        env=environment(running.info),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


def test_s3_through_boto3_and_the_command_line(running: Running, tmp_path: Path) -> None:
    s3 = running.client("s3")
    s3.create_bucket(Bucket="stock-media", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    s3.put_object(Bucket="stock-media", Key="parts/1.txt", Body=b"bolt", ContentType="text/plain")
    listed = aws(running, "s3api", "list-objects-v2", "--bucket", "stock-media")
    assert [each["Key"] for each in listed["Contents"]] == ["parts/1.txt"]
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(range(256)) * 40_000)  # 10 MB: a multipart upload
    aws(running, "s3", "cp", str(large), "s3://stock-media/large.bin", "--no-progress")
    assert s3.get_object(Bucket="stock-media", Key="large.bin")["Body"].read() == large.read_bytes()
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "stock-media", "Key": "parts/1.txt"})
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"bolt", "text/plain")


def test_a_browsers_form_is_held_to_its_policy(running: Running) -> None:
    s3 = running.client("s3")
    s3.create_bucket(Bucket="forms", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    signed = s3.generate_presigned_post("forms", "in/1", Conditions=[["content-length-range", 4, 4]], ExpiresIn=60)
    url, fields = signed["url"], signed["fields"]
    assert posted(url, fields, b"bolt")[0] == 204
    assert s3.get_object(Bucket="forms", Key="in/1")["Body"].read() == b"bolt"
    assert posted(url, fields, b"bolts") == (400, "EntityTooLarge")
    assert posted(url, fields | {"key": "in/2"}, b"bolt") == (403, "AccessDenied")
    assert posted(url, fields | {"acl": "public-read"}, b"bolt") == (403, "AccessDenied")
    assert posted(url, {"key": "in/2"}, b"bolt") == (403, "AccessDenied")
    s3.delete_objects(Bucket="forms", Delete={"Objects": [{"Key": "in/1"}]})  # the other POST of a bucket
    assert "Contents" not in s3.list_objects_v2(Bucket="forms")


def posted(url: str, fields: dict[str, str], content: bytes) -> tuple[int, str]:
    """Send a form as a browser does; return the status and S3's word for what is wrong."""
    head = "--limit\r\nContent-Disposition: form-data; name="
    body = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()).encode()
    body += f'{head}"file"; filename="x"\r\n\r\n'.encode() + content + b"\r\n--limit--\r\n"
    request = urllib.request.Request(url, body, {"Content-Type": "multipart/form-data; boundary=limit"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().partition("<Code>")[2].partition("<")[0]


def test_secrets_and_parameters(running: Running) -> None:
    aws(running, "secretsmanager", "create-secret", "--name", "stock/django", "--secret-string", '{"KEY": "s3cret"}')
    value = running.client("secretsmanager").get_secret_value(SecretId="stock/django")["SecretString"]
    assert json.loads(value) == {"KEY": "s3cret"}
    running.client("ssm").put_parameter(Name="/stock/release", Value="7", Type="SecureString")
    found = aws(running, "ssm", "get-parameter", "--name", "/stock/release", "--with-decryption")
    assert found["Parameter"]["Value"] == "7"


def test_logs(running: Running) -> None:
    logs = running.client("logs")
    logs.create_log_group(logGroupName="/stock/web")
    logs.create_log_stream(logGroupName="/stock/web", logStreamName="web/1")
    event = {"timestamp": int(time.time() * 1000), "message": "Listening at"}
    logs.put_log_events(logGroupName="/stock/web", logStreamName="web/1", logEvents=[event])
    found = aws(running, "logs", "filter-log-events", "--log-group-name", "/stock/web")
    assert [each["message"] for each in found["events"]] == ["Listening at"]


def test_roles_attach_the_policies_of_aws(running: Running) -> None:
    iam = running.client("iam")
    iam.create_role(RoleName="execution", AssumeRolePolicyDocument="{}")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="execution", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="execution")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]


def test_certificates_are_issued_at_once(running: Running) -> None:
    acm = running.client("acm")
    arn = acm.request_certificate(DomainName="stock.example", ValidationMethod="DNS")["CertificateArn"]
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def test_bucket_without_cors_rules_answers_browsers_without_cors(running: Running) -> None:
    s3 = running.client("s3")
    s3.create_bucket(Bucket="closed", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    s3.put_object(Bucket="closed", Key="k", Body=b"x", ACL="public-read")
    request = urllib.request.Request(f"{running.info.endpoint}/closed/k", headers={"Origin": "https://shop.example"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_instance_types_of_the_own_region_are_known(running: Running) -> None:
    offered = running.client("ec2").describe_instance_type_offerings(
        Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}]
    )
    assert offered["InstanceTypeOfferings"]
    with pytest.raises(ClientError, match="InvalidInstanceType"):
        running.client("ec2").describe_instance_types(InstanceTypes=["t3.enormous"])


def test_hooks_run_and_move_traffic_in_the_whole_emulator(running: Running) -> None:
    """ECS, load balancer, Lambda and CloudWatch together, as the server wires them; no task is needed for it."""
    iam, elb, ecs = running.client("iam"), running.client("elbv2"), running.client("ecs")
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    role = iam.create_role(RoleName="hooks", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    code = (
        "import boto3\ndef handler(event, context):\n"
        "    boto3.client('ssm').put_parameter(Name='seen', Value=event['lifecycleStage'], Type='String')\n"
        "    return {'hookStatus': 'SUCCEEDED'}\n"
    )
    function = running.client("lambda").create_function(
        FunctionName="hook", Runtime="python3.12", Role=role, Handler="hook.handler", Timeout=30,
        Code={"ZipFile": archive(code)},
    )["FunctionArn"]  # fmt: skip
    subnets = running.client("ec2").describe_subnets()["Subnets"][:2]
    names = [subnet["SubnetId"] for subnet in subnets]
    blue, green = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"], TargetType="ip")[
            "TargetGroups"
        ][0]["TargetGroupArn"]
        for name in ("blue", "green")
    )
    balancer = elb.create_load_balancer(Name="lb", Subnets=names)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": blue, "Weight": 1}, {"TargetGroupArn": green, "Weight": 0}]
        },
    }
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    rules = elb.describe_rules(ListenerArn=listener["Listeners"][0]["ListenerArn"])["Rules"]
    rule = rules[0]["RuleArn"]
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="app", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        containerDefinitions=[{"name": "app", "image": "none", "portMappings": [{"containerPort": 80}]}],
    )  # fmt: skip
    ecs.create_service(
        cluster="c", serviceName="web", taskDefinition="app", desiredCount=0, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": names}},
        deploymentConfiguration={
            "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0,
            "lifecycleHooks": [{"hookTargetArn": function, "roleArn": role, "lifecycleStages": ["POST_SCALE_UP"]}],
        },
        loadBalancers=[{
            "targetGroupArn": blue, "containerName": "app", "containerPort": 80,
            "advancedConfiguration": {
                "alternateTargetGroupArn": green, "productionListenerRule": rule, "roleArn": role,
            },
        }],
    )  # fmt: skip
    listed = eventually(
        lambda: ecs.list_service_deployments(cluster="c", service="web", status=["SUCCESSFUL"])["serviceDeployments"]
    )
    assert len(listed) == 1
    assert running.client("ssm").get_parameter(Name="seen")["Parameter"]["Value"] == "POST_SCALE_UP"
    described = elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert {group["TargetGroupArn"]: group["Weight"] for group in described} == {blue: 0, green: 100}
    shown = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["DefaultActions"][0]["ForwardConfig"]
    assert shown["TargetGroups"] == described, "a default rule is the listener's default action"


def test_an_alarm_goes_off_by_its_metric(running: Running) -> None:
    cloudwatch = running.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="app", MetricName="errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch.put_metric_data(Namespace="app", MetricData=[{"MetricName": "errors", "Value": 1}])
    assert cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"] == "ALARM"
