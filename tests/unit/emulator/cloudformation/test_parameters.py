"""Parameters: types, constraints with AWS's messages, previous values, SSM's store, NoEcho."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.parameters import Given, Parameter, given, settle

STORE = {"/image": "app:7", "/subnets": "subnet-1,subnet-2"}


def one(definition: dict[str, Any], value: str | None = None) -> Parameter:
    values = {} if value is None else {"P": value}
    return settle({"P": definition}, Given(values), {}, STORE.__getitem__)["P"]


@pytest.mark.parametrize(
    ("definition", "value", "expected"),
    [
        ({"Type": "String"}, "x", "x"),
        ({"Type": "String", "Default": 5}, None, "5"),
        ({"Type": "String", "Default": True}, None, "true"),
        ({"Type": "Number"}, "0.5", "0.5"),
        ({"Type": "CommaDelimitedList", "Default": "a, b,c"}, None, ["a", "b", "c"]),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
        ({"Type": "CommaDelimitedList"}, "", []),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "/image", "app:7"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "/subnets", ["subnet-1", "subnet-2"]),
        ({"Type": "AWS::SSM::Parameter::Name"}, "/image", "/image"),
    ],
)
def test_types(definition: dict[str, Any], value: str | None, expected: Any) -> None:
    assert one(definition, value).value == expected


@pytest.mark.parametrize(
    ("definition", "value", "message"),
    [
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
        ({"Type": "List<Number>"}, "1,x", "Parameter 'P' must be a list of numbers."),
        ({"Type": "String", "AllowedValues": ["a", 1]}, "b", "Parameter 'P' must be one of AllowedValues"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+"},
            "aB",
            "Parameter P failed to satisfy constraint: must match pattern [a-z]+",
        ),
        (
            {"Type": "String", "MinLength": 3},
            "ab",
            "Parameter P failed to satisfy constraint: must have a minimum length of 3",
        ),
        (
            {"Type": "String", "MaxLength": "1"},
            "ab",
            "Parameter P failed to satisfy constraint: must have a maximum length of 1",
        ),
        (
            {"Type": "Number", "MinValue": 2},
            "1",
            "Parameter P failed to satisfy constraint: must be a number greater than or equal to 2",
        ),
        (
            {"Type": "Number", "MaxValue": 2},
            "3",
            "Parameter P failed to satisfy constraint: must be a number less than or equal to 2",
        ),
        (
            {"Type": "String", "AllowedPattern": "x", "ConstraintDescription": "say x"},
            "y",
            "Parameter P failed to satisfy constraint: say x",
        ),
        (
            {"Type": "String", "AllowedValues": ["x"], "ConstraintDescription": "say x"},
            "y",
            "Parameter P failed to satisfy constraint: say x",
        ),
        (
            {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]},
            "a,c",
            "Parameter 'P' must be one of AllowedValues",
        ),
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
    ],
)
def test_constraints(definition: dict[str, Any], value: str | None, message: str) -> None:
    with pytest.raises(TemplateError) as refused:
        one(definition, value)
    assert str(refused.value) == message


def test_allowed_values_are_compared_as_text() -> None:
    assert one({"Type": "Number", "AllowedValues": [1, 2]}, "2").value == "2"


def test_previous_values_and_what_a_request_may_say_of_them() -> None:
    before = {"P": Parameter("P", "String", "old", "old")}
    request = given([{"ParameterKey": "P", "UsePreviousValue": True}])
    assert settle({"P": {"Type": "String"}}, request, before, STORE.__getitem__)["P"].value == "old"
    with pytest.raises(TemplateError, match="Cannot specify usePreviousValue as true"):
        settle({"P": {"Type": "String"}}, request, {}, STORE.__getitem__)
    with pytest.raises(TemplateError, match="Cannot specify usePreviousValue as true and non empty value"):
        given([{"ParameterKey": "P", "UsePreviousValue": True, "ParameterValue": "x"}])


def test_an_omitted_parameter_takes_its_default_again_not_its_previous_value() -> None:
    before = {"P": Parameter("P", "String", "old", "old")}
    assert settle({"P": {"Type": "String", "Default": "new"}}, Given({}), before, STORE.__getitem__)["P"].value == "new"


def test_parameters_the_template_does_not_have() -> None:
    with pytest.raises(TemplateError, match=r"Parameters: \[X\] do not exist in the template"):
        settle({}, Given({"X": "1"}), {}, STORE.__getitem__)


def test_no_echo_is_masked_and_a_stored_value_shown() -> None:
    assert one({"Type": "String", "NoEcho": "true"}, "geheim").describe()["ParameterValue"] == "****"
    shown = one({"Type": "AWS::SSM::Parameter::Value<String>"}, "/image").describe()
    assert shown == {"ParameterKey": "P", "ParameterValue": "/image", "ResolvedValue": "app:7"}
