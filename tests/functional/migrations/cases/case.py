"""What a case is, and how it becomes the files of an application.

Every case is an application of its own with two migrations, in files that Django 4.2, 5.2 and 6.x load: ``0001_before``
makes ``Box`` and ``Part`` (and what the case adds to them), ``0002_change`` does what is judged.
"""

# ruff: noqa: E501 - an operation of a migration is easier to read in one line

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.project.migrations.rules import RULES

if TYPE_CHECKING:
    from seatrial.project.migrations.rules import Kind

PART = """\
migrations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=20))]),
migrations.CreateModel("Part", [
    ("id", models.AutoField(primary_key=True)),
    ("name", models.CharField(max_length=20)),
    ("short", models.CharField(max_length=20, db_index=True)),
    ("code", models.CharField(max_length=20, unique=True)),
    ("text", models.TextField(default="")),
    ("maybe", models.IntegerField(null=True)),
    ("count", models.IntegerField(default=0)),
    ("price", models.DecimalField(max_digits=6, decimal_places=2, default=0)),
    ("box", models.ForeignKey("LABEL.Box", models.CASCADE, null=True)),
], options={"indexes": [models.Index(fields=["count"], name="LABEL_count")]}),
"""
HEAD = """\
import django.contrib.postgres.indexes
import django.contrib.postgres.operations as pg
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now


class Own(migrations.RunSQL):
    def database_forwards(self, label, editor, *states):
        editor.execute(self.sql)


class Odd(migrations.operations.base.Operation):
    @property
    def name(self):
        raise ValueError("it cannot be described")

    def state_forwards(self, *args):
        pass

    database_forwards = state_forwards


class Migration(migrations.Migration):
    atomic = ATOMIC
    initial = INITIAL
    dependencies = DEPENDENCIES
    operations = [
OPERATIONS
    ]
"""


@dataclass(frozen=True)
class Case:
    """``rules`` are those of every operation of ``change``, in order. ``since`` and ``until`` are Django versions.

    ``writes`` are values of a Part that the version before may write, over the usual ones. ``reads`` is a
    query of its own, of ``parts`` or a ``part``. ``rows`` is False where Part stays empty, ``new`` where the model Part
    does not stay as it is. ``breaks`` is for what nobody can judge: whether the version before fails.
    """

    name: str
    change: str
    rules: tuple[str, ...]
    first: str = ""
    writes: tuple[str, ...] = ()
    reads: str = ""
    since: tuple[int, int] = (4, 2)
    until: tuple[int, int] = (99, 0)
    atomic: bool = True
    rows: bool = True
    new: bool = True
    breaks: bool = False

    @property
    def kinds(self) -> set[Kind]:
        """The classes of its rules."""
        return {RULES[rule].kind for rules in self.rules for rule in rules.split()}

    def on(self, django: tuple[int, int]) -> bool:
        return self.since <= django <= self.until

    def files(self, django: tuple[int, int]) -> dict[str, str]:
        """Return the files of the application, by path."""
        second = HEAD.replace("ATOMIC", str(self.atomic)).replace("INITIAL", "False")
        second = second.replace("DEPENDENCIES", f'[("{self.name}", "0001_before")]').replace("OPERATIONS", self.change)
        first = HEAD.replace("ATOMIC", "True").replace("INITIAL", "True").replace("DEPENDENCIES", "[]")
        first = first.replace("OPERATIONS", PART + self.first)
        check = "condition" if django >= (5, 1) else "check"
        first, second = (each.replace("LABEL", self.name).replace("CHECK=", f"{check}=") for each in (first, second))
        return {
            f"{self.name}/__init__.py": "",
            f"{self.name}/migrations/__init__.py": "",
            f"{self.name}/migrations/0001_before.py": first,
            f"{self.name}/migrations/0002_change.py": second,
        }


def add(text: str, name: str = "extra") -> str:
    return f'migrations.AddField("part", "{name}", models.{text}),'


def alter(name: str, text: str) -> str:
    return f'migrations.AlterField("part", "{name}", models.{text}),'


def state(text: str) -> str:
    return f"migrations.SeparateDatabaseAndState(state_operations=[{text}], database_operations=[]),"


SQL_NULLABLE = "migrations.RunSQL('ALTER TABLE \"LABEL_part\" {}', migrations.RunSQL.noop),"
