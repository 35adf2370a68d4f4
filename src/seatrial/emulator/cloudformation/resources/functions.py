"""AWS::Lambda::*: functions and who may call them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging, retag
from seatrial.emulator.cloudformation.resources.work import Work, generated_name

#: The oldest date a ZIP archive can hold: the same code makes the same archive.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def _code(work: Work, properties: dict[str, Any]) -> dict[str, Any]:
    """Turn inline code into the archive that the API takes: ``index.py`` or ``index.js``, by runtime."""
    code = dict(properties.get("Code") or {})
    if "ZipFile" in code:
        file = "index.js" if str(work.get("Runtime", "")).startswith("nodejs") else "index.py"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr(zipfile.ZipInfo(file, _EPOCH), str(code["ZipFile"]))
        code["ZipFile"] = archive.getvalue()
    return {**properties, "Code": code}


def _ready(work: Work) -> None:
    def ready() -> bool:
        state = work.call("lambda", "get_function", FunctionName=work.physical_id)["Configuration"]
        if state.get("State") == "Failed" or state.get("LastUpdateStatus") == "Failed":
            raise ResourceFailed(str(state.get("StateReason") or state.get("LastUpdateStatusReason")))
        settled = state.get("State", "Active"), state.get("LastUpdateStatus", "Successful")
        return settled == ("Active", "Successful")

    work.waiter.until(ready, seconds=900, otherwise=f"Function {work.physical_id} did not stabilize.")


_ROW = Row("lambda", prepare=_code)


def _change(work: Work, old: Properties) -> None:
    if not alike(old.get("Code"), work.get("Code")) or not alike(old.get("Architectures"), work.get("Architectures")):
        code = _code(work, dict(work.properties))["Code"]
        probe = Work(**{**vars(work), "properties": {**code, "Architectures": work.get("Architectures")}})
        parameters = Row("lambda").parameters(probe, "update_function_code")
        work.call("lambda", "update_function_code", **{**parameters, "FunctionName": work.physical_id})
        _ready(work)
    parameters = _ROW.parameters(work, "update_function_configuration")
    work.call("lambda", "update_function_configuration", **{**parameters, "FunctionName": work.physical_id})
    if not alike(old.get("Tags"), work.get("Tags")):
        retag("lambda", _TAGS, work, old)


def _concurrency(work: Work, old: Properties | None) -> None:
    wanted = work.get("ReservedConcurrentExecutions")
    if alike((old or {}).get("ReservedConcurrentExecutions"), wanted):
        return
    if wanted is None:
        work.call("lambda", "delete_function_concurrency", FunctionName=work.physical_id)
    else:
        work.call(
            "lambda",
            "put_function_concurrency",
            FunctionName=work.physical_id,
            ReservedConcurrentExecutions=int(wanted),
        )


def _function_arn(work: Work) -> str:
    return work.place.arn("lambda", f"function:{work.physical_id}")


_TAGS = Tagging("tag_resource", "Resource", "Tags", "untag_resource", identity=_function_arn)


def _permit(work: Work) -> None:
    statement = generated_name(work.place.stack, work.logical_id, limit=100)
    parameters = Row("lambda").parameters(work, "add_permission")
    work.call("lambda", "add_permission", **{**parameters, "StatementId": statement})
    work.physical_id = statement


def _forbid(work: Work) -> None:
    work.call("lambda", "remove_permission", FunctionName=work.get("FunctionName"), StatementId=work.physical_id)


ROWS: dict[str, Row] = {
    "AWS::Lambda::Function": Row(
        "lambda",
        "create_function",
        "FunctionName",
        name=Name("FunctionName"),
        key="FunctionName",
        prepare=_code,
        on_update=_change,
        delete_call="delete_function",
        attributes={"Arn": _function_arn},
        after=_concurrency,
        settle=_ready,
    ),
    "AWS::Lambda::Permission": Row(
        "lambda", on_create=_permit, on_delete=_forbid, attributes={"Id": lambda work: work.physical_id}
    ),
}
