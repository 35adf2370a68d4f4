"""The function that runs gate tasks in CodeDeploy's hook, its role and its log group."""

from __future__ import annotations

import json
from importlib import resources as files
from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Ref, Resource
from seatrial.stack.lowering.policies import arn, handing_over, role

if TYPE_CHECKING:
    from seatrial.stack import model
    from seatrial.stack.graph import Value

GATES = "GateFunction"
_ROLE = "GateFunctionRole"
_LOGS = "GateFunctionLogs"
_LOG_DAYS = 30
#: Lambda's longest timeout, in seconds. The function calls itself again before that if a task takes longer.
_LONGEST = 900


def gates(stack: model.Stack, hook: model.GateHook) -> dict[str, Resource]:
    """Return the function that runs gate tasks, its role and its log group.

    A function's variables are 4 KiB in all, so it is told only what its tasks have otherwise than the service.
    """
    service = next(each for each in stack.app.containers if each.unit == hook.unit)
    steps = [
        {
            "name": task.unit,
            "command": list(task.command),
            "cpu": str(task.cpu),
            "memory": str(task.memory),
            "environment": [
                {"name": name, "value": value}
                for name, value in task.environment
                if isinstance(value, str) and (name, value) not in service.environment
            ],
            "timeout": timeout,
        }
        for task, timeout in zip(hook.tasks, hook.timeouts, strict=True)
    ]
    code = (files.files("seatrial.stack.lowering") / "functions" / "gates.py").read_text(encoding="utf-8")
    return {
        _LOGS: Resource(
            "AWS::Logs::LogGroup",
            {"LogGroupName": hook.log_group, "RetentionInDays": _LOG_DAYS},
            deletion_policy="Delete",
            update_replace_policy="Delete",
        ),
        _ROLE: _role(stack, hook),
        GATES: Resource(
            "AWS::Lambda::Function",
            {
                "FunctionName": hook.name,
                "Description": f"Runs {', '.join(task.unit for task in hook.tasks)} before CodeDeploy installs",
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": GetAtt(_ROLE, "Arn"),
                "Timeout": Noted(_LONGEST, "It calls itself again before that where a task takes longer"),
                "MemorySize": 256,
                "Environment": {
                    "Variables": {
                        "CLUSTER": stack.app.name,
                        "CONTAINER": hook.unit,
                        "STEPS": json.dumps(steps),
                    }
                },
                "Code": {"ZipFile": code},
            },
            depends_on=(_LOGS,),
            why="Named in the AppSpec as BeforeInstall: whoever starts the deployment, its gate tasks come first",
        ),
    }


def _role(stack: model.Stack, hook: model.GateHook) -> Resource:
    family = next(each.family for each in stack.app.containers if each.unit == hook.unit)
    statements: list[Value] = [
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": GetAtt(_LOGS, "Arn"),
        },
        {
            "Sid": "ReadTheDeployment",
            "Effect": "Allow",
            "Action": ["codedeploy:GetApplicationRevision", "codedeploy:GetDeployment"],
            "Resource": [
                arn("codedeploy", f"application:{stack.app.name}"),
                arn("codedeploy", f"deploymentgroup:{stack.app.name}/{hook.unit}"),
            ],
        },
        {
            "Sid": "Answer",
            "Effect": "Allow",
            "Action": "codedeploy:PutLifecycleEventHookExecutionStatus",
            "Resource": Noted("*", "This action knows no resource"),
        },
        {
            "Sid": "LookAtTheService",
            "Effect": "Allow",
            "Action": "ecs:DescribeServices",
            "Resource": arn("ecs", f"service/{stack.app.name}/{hook.unit}"),
        },
        {
            "Sid": "RunTheNewRevision",
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": arn("ecs", f"task-definition/{family}:*"),
            "Condition": {"ArnEquals": {"ecs:cluster": Ref("ClusterArn")}},
        },
        {
            "Sid": "FollowItsTasks",
            "Effect": "Allow",
            "Action": ["ecs:DescribeTasks", "ecs:StopTask"],
            "Resource": arn("ecs", f"task/{stack.app.name}/*"),
        },
        handing_over("HandOverRoles"),
        {
            "Sid": "CallItselfAgain",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": arn("lambda", f"function:{hook.name}"),
        },
    ]
    return role("lambda.amazonaws.com", statements, "Runs gate tasks in a hook", account="StringEqualsIfExists")
