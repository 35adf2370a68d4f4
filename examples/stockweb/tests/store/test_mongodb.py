"""What the engine adds to MongoDB, so that Django's models are there what they are elsewhere."""

import inspect
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.models import F, Q
from django.test import Client
from pymongo.errors import WriteError

from documents.errors import Conflict, Duplicate
from documents.truth import truth
from documents.validators import not_false
from local.services import free_port
from stock import ledger
from stock.models import Box, Lot
from stockweb import store
from tests.factories import Shelf, part

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


def test_both_forms_of_a_function_on_the_seam_are_called_alike() -> None:
    assert store.SEAM
    for name, elsewhere in store.SEAM.items():
        module, _, function = name.rpartition(".")
        one, other = getattr(import_module(module), function), getattr(import_module(elsewhere), function)
        assert list(inspect.signature(one).parameters) == list(inspect.signature(other).parameters), name


def test_migrations_are_those_of_postgresql_and_leave_nothing_to_be_made() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    for app in ("parts", "stock"):
        here = (
            import_module(f"documents.migrations.{app}.{each.stem}")
            for each in _migrations(f"documents/migrations/{app}")
        )
        replaced = {name for module in here for _, name in module.Migration.replaces}
        assert replaced == {each.stem for each in _migrations(f"{app}/migrations")}


def _migrations(folder: str) -> list[Path]:
    return sorted((PROJECT / folder).glob("0*.py"))


def test_the_collection_refuses_what_the_constraint_forbids_whoever_asks(world: Shelf) -> None:
    lots = connection.database["stock_lot"]
    for change in ({"$inc": {"qty": -11}}, {"$set": {"qty": "ten"}}, {"$unset": {"part_id": ""}, "$set": {"qty": -1}}):
        with pytest.raises(WriteError, match="validation"):
            lots.update_one({}, change)
    assert world.qty(world.first) == 10


class Range(models.Model):
    """Never migrated: what a condition says is tried on documents."""

    low = models.IntegerField(null=True)
    high = models.IntegerField(null=True)

    class Meta:
        app_label = "pages"
        managed = False

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [  # as SQL's CHECK: refused is what is false, and not what is unknown
        (Q(low__gte=0), {"1-2", "2-1", "none-1"}),
        (~Q(low__gte=0), {"minus-1", "none-1"}),
        (Q(low__lte=F("high")), {"1-2", "minus-1", "none-1"}),
        (~Q(low=F("high")), {"1-2", "2-1", "minus-1", "none-1"}),
        (Q(low__isnull=True) | Q(low__gt=1), {"2-1", "none-1"}),
        (~(Q(low=None) | Q(low__in=(1, 2))), {"minus-1"}),
    ],
)
def test_a_validator_and_a_form_say_what_the_constraint_says_of_nulls_too(condition: Q, allowed: set[str]) -> None:
    rows = {"1-2": (1, 2), "2-1": (2, 1), "minus-1": (-1, 1), "none-1": (None, 1)}
    tried = connection.database["tried_ranges"]
    tried.drop()
    tried.insert_many([{"_id": name, "low": low, "high": high} for name, (low, high) in rows.items()])
    assert {each["_id"] for each in tried.find({"$expr": not_false(Range, condition)})} == allowed
    tried.drop()
    asked = {name: truth(condition, {"low": low, "high": high}.get) for name, (low, high) in rows.items()}
    assert {name for name, holds in asked.items() if holds is not False} == allowed


def test_a_transaction_is_whole_or_nothing_and_tells_when_it_is_done(world: Shelf) -> None:
    told: list[str] = []

    def begin() -> None:
        with transaction.atomic():
            Box.objects.create(code="B1")
            transaction.on_commit(lambda: told.append("never"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        begin()
    with transaction.atomic():
        Box.objects.create(code="B2")
        transaction.on_commit(lambda: told.append("done"))
        assert told == []
    assert told == ["done"]
    assert set(Box.objects.values_list("code", flat=True)) == {"A1", "A2", "B2"}


def test_a_lock_keeps_others_off_until_the_end(world: Shelf) -> None:
    refused: list[Exception] = []

    def other() -> None:
        try:
            with transaction.atomic():
                list(Lot.objects.select_for_update())
        except Conflict as conflict:
            refused.append(conflict)
        finally:
            connection.close()

    with transaction.atomic():
        list(Lot.objects.select_for_update())
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert len(refused) == 1
    with transaction.atomic():
        assert Lot.objects.select_for_update().get().qty == 10


def test_a_change_that_is_crossed_is_done_again_but_not_within_a_transaction(world: Shelf) -> None:
    tries: list[int] = []

    def crossed(least: int) -> int:
        tries.append(least)
        if len(tries) < least:
            raise Conflict
        return len(tries)

    assert store.retried(crossed)(3) == 3
    tries.clear()
    with pytest.raises(Conflict), transaction.atomic():
        store.retried(crossed)(3)
    assert len(tries) == 1


def test_ids_are_numbers_and_a_row_without_a_part_number_has_no_twin(world: Shelf) -> None:
    first, second = part("One"), part("Two")
    assert (type(first.pk), second.pk) == (type(second.pk), first.pk + 1)
    entry = ledger.take(world.part.pk, world.first.pk, 1)
    with pytest.raises(IntegrityError):
        Lot.objects.create(part=world.part, box=world.first, qty=1)
    assert ledger.take(world.part.pk, world.first.pk, 1).movement == entry.movement + 1


def test_an_error_does_not_tell_the_row_that_was_refused(transactional_db: None) -> None:
    user = User.objects.create_user("keeper", password="keeper")
    with pytest.raises(Duplicate, match="auth_user") as refused:
        User(username="keeper", password=user.password).save()
    assert user.password not in "".join(traceback.format_exception(refused.value))


def test_what_needs_postgresql_is_refused_with_a_reason(kept: Client) -> None:
    answer = kept.post("/api/v1/imports", {"file": SimpleUploadedFile("parts.csv", b"name;type\nOne;Resistor\n")})
    assert (answer.status_code, answer.json()["code"]) == (501, "not-on-this-store")
    assert "PostgreSQL" in answer.json()["detail"]


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health/ready").json()["checks"]["database"] == "ok"
    here: Any = connections["default"]
    here.close_pool()
    away = {**here.settings_dict, "HOST": f"mongodb://127.0.0.1:{free_port()}/stockweb"}
    with monkeypatch.context() as patch:
        patch.setattr(here, "settings_dict", {**away, "OPTIONS": {"serverSelectionTimeoutMS": 200}})
        answer = client.get("/health/ready")
        here.close_pool()
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "no answer (OperationalError)")
    assert client.get("/health/ready").json()["checks"]["database"] == "ok"
