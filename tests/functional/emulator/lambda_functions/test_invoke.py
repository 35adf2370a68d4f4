"""Lambda functions through boto3: handlers that run, and the ways in which they fail."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.ecs.stages import ROLE, archive, put_role
from tests.functional.emulator.ecs.support import Rig, emulated_ecs, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with emulated_ecs(tmp_path_factory.mktemp("lambda")) as rig:
        put_role(rig)
        yield rig


def make(rig: Rig, name: str, code: str, **more: Any) -> None:
    values = {"Runtime": "python3.12", "Handler": "hook.handler", "Code": {"ZipFile": archive(code)}, "Timeout": 20}
    rig.client("lambda").create_function(FunctionName=name, Role=ROLE, **(values | more))


def invoke(rig: Rig, name: str, payload: Any = None, **more: Any) -> tuple[dict[str, Any], Any]:
    answer = rig.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload), **more)
    text = answer["Payload"].read()
    return answer, json.loads(text) if text else None


def test_a_handler_gets_event_context_and_environment_and_its_answer_comes_back(rig: Rig) -> None:
    code = (
        "import os\nprint('to the log')\n"
        "def handler(event, context):\n"
        "    return {'event': event, 'name': context.function_name, 'request': context.aws_request_id,\n"
        "            'arn': context.invoked_function_arn, 'left': context.get_remaining_time_in_millis() > 0,\n"
        "            'colour': os.environ['COLOUR'], 'home': os.environ.get('HOME'),\n"
        "            'region': os.environ['AWS_REGION']}\n"
    )
    make(rig, "whole", code, Environment={"Variables": {"COLOUR": "green"}})
    answer, told = invoke(rig, "whole", {"n": 1}, LogType="Tail")
    assert (answer["StatusCode"], answer.get("FunctionError"), answer["ExecutedVersion"]) == (200, None, "$LATEST")
    request = told.pop("request")
    assert told == {
        "event": {"n": 1},
        "name": "whole",
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:whole",
        "left": True,
        "colour": "green",
        "home": None,
        "region": "eu-west-1",
    }, "of this machine's environment nothing is there"
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0] == f"START RequestId: {request} Version: $LATEST"
    assert lines[1:3] == ["to the log", f"END RequestId: {request}"]
    assert lines[3].startswith(f"REPORT RequestId: {request}\tDuration: ")
    assert list(rig.log("/aws/lambda/whole").values()) == [lines]


def test_a_handler_speaks_to_the_emulator(rig: Rig) -> None:
    rig.client("s3").create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    code = (
        "import boto3\ndef handler(event, context):\n"
        "    return [b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']]\n"
    )
    rig.client("s3").put_object(Bucket="code", Key="f.zip", Body=archive(code))
    make(rig, "caller", "", Code={"S3Bucket": "code", "S3Key": "f.zip"})
    assert invoke(rig, "caller")[1] == ["code"]


FAILURES: dict[str, tuple[str, str, str]] = {
    "raises": ("def handler(event, context):\n    raise ValueError('no such box')\n", "ValueError", "no such box"),
    "exits": (
        "import os\ndef handler(event, context):\n    os._exit(3)\n",
        "Runtime.ExitError",
        "Error: Runtime exited with error: exit status 3",
    ),
    "no module": (
        "import nothing_of_the_kind\n",
        "Runtime.ImportModuleError",
        "Unable to import module 'hook': No module named",
    ),
    "no handler": ("x = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'hook'"),
    "no JSON": (
        "def handler(event, context):\n    return {1, 2}\n",
        "Runtime.MarshalError",
        "Unable to marshal response: Object of type set",
    ),
    "hangs": (
        "import subprocess\ndef handler(event, context):\n    subprocess.run(['sleep', '60'])\n",
        "Sandbox.Timedout",
        "Task timed out after 1.00 seconds",
    ),
}


@pytest.mark.parametrize(("code", "kind", "text"), FAILURES.values(), ids=list(FAILURES))
def test_a_failure_is_told_as_lambda_tells_it(rig: Rig, code: str, kind: str, text: str) -> None:
    name = kind.replace(".", "-")
    make(rig, name, code, Timeout=1 if kind == "Sandbox.Timedout" else 20)
    answer, told = invoke(rig, name)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert told["errorType"] == kind
    assert text in told["errorMessage"]
    log = [line for lines in rig.log(f"/aws/lambda/{name}").values() for line in lines]
    assert any(text.removeprefix("Error: ") in line for line in log)


def test_other_languages_are_refused_in_the_answer(rig: Rig) -> None:
    make(rig, "node", "", Runtime="nodejs20.x")
    answer, told = invoke(rig, "node")
    assert answer["FunctionError"] == "Unhandled"
    assert told["errorMessage"] == "The emulator runs Python handlers, not nodejs20.x."


def test_an_event_is_taken_at_once_and_runs_by_itself(rig: Rig) -> None:
    make(rig, "later", "def handler(event, context):\n    print('ran with', event)\n")
    answer, told = invoke(rig, "later", 7, InvocationType="Event")
    assert (answer["StatusCode"], told) == (202, None)
    groups = rig.client("logs").describe_log_groups
    eventually(lambda: [g["logGroupName"] for g in groups()["logGroups"]], lambda names: "/aws/lambda/later" in names)
    eventually(
        lambda: [line for lines in rig.log("/aws/lambda/later").values() for line in lines],
        lambda lines: "ran with 7" in lines,
    )


def test_new_code_and_configuration_are_used_and_an_unknown_function_is_refused(rig: Rig) -> None:
    make(rig, "changing", "def handler(event, context):\n    return 1\n")
    assert invoke(rig, "changing")[1] == 1
    code = "import os\ndef handler(event, context):\n    return os.environ['TWO']\n"
    rig.client("lambda").update_function_code(FunctionName="changing", ZipFile=archive(code))
    rig.client("lambda").update_function_configuration(FunctionName="changing", Environment={"Variables": {"TWO": "2"}})
    assert invoke(rig, "changing")[1] == "2"
    with pytest.raises(ClientError) as unknown:
        invoke(rig, "nobody")
    assert unknown.value.response["Error"]["Code"] == "ResourceNotFoundException"
