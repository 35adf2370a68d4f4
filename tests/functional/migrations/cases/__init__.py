"""One migration each: what it does, under which rules it falls, and what the version before may write.

Every case is an application of its own with two migrations, in files that Django 4.2, 5.2 and 6.x load: ``0001_before``
makes ``Box`` and ``Part`` (and what the case adds to them), ``0002_change`` does what is judged.
"""

from __future__ import annotations

from tests.functional.migrations.cases import code, columns_change, columns_come_and_go, constraints, tables
from tests.functional.migrations.cases.case import PART, Case
from tests.functional.migrations.cases.constraints import NOT_ATOMIC

__all__ = ["CASES", "NOT_ATOMIC", "PART", "Case"]

CASES: tuple[Case, ...] = (
    *tables.CASES,
    *columns_come_and_go.CASES,
    *columns_change.CASES,
    *constraints.CASES,
    *code.CASES,
)
