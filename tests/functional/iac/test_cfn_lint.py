"""cfn-lint, with the registry schemas that it bundles, over templates of every shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from seatrial.iac.cloudformation import files
from tests.unit.stack.support import MATRIX, bundles

CFN_LINT = str(Path(sys.executable).parent / "cfn-lint")

#: W3002: a nested TemplateURL is a relative path until `aws cloudformation package` or `infra apply` uploads it.
#: W6001: an output that hands on an import; a release reads the app stack's outputs and no others.
EXPECTED = {"W3002", "W6001"}


def test_cfn_lint_finds_no_error_and_no_warning_but_the_expected(tmp_path: Path) -> None:
    paths = []
    for name, changes in MATRIX.items():
        for file, text in files(bundles(**changes)).items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            paths.append(str(path))
    done = subprocess.run(
        [CFN_LINT, "--format", "json", "--regions", "eu-west-3", "--", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    found = json.loads(done.stdout)
    unexpected = [
        f"{each['Filename']}:{each['Location']['Start']['LineNumber']}: {each['Rule']['Id']} {each['Message']}"
        for each in found
        if each["Rule"]["Id"] not in EXPECTED
    ]
    assert unexpected == []
    assert {each["Rule"]["Id"] for each in found} == EXPECTED  # it did look


def test_cfn_lint_would_find_a_mistake(tmp_path: Path) -> None:
    text = files(bundles())["app/services.yaml"]
    path = tmp_path / "services.yaml"
    path.write_text(text.replace("TargetType: ip", "TargetType: ipp"))
    done = subprocess.run(
        [CFN_LINT, "--format", "json", "--", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [each["Level"] for each in json.loads(done.stdout)] == ["Error"]
