"""Attribute definitions and values: what a value says, who keeps it true, and what is refused."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client

from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.tasks import read_attributes
from tests.factories import define, part

KIND = AttributeDefinition.Kind
MATCH = AttributeDefinition.Match


def says(value: AttributeValue) -> tuple[float | None, float | None, float | None, str]:
    value.refresh_from_db()
    return value.num_lo, value.num_hi, value.tol_pct, value.text_value


@pytest.mark.django_db
class TestValues:
    @pytest.mark.parametrize(
        ("kind", "unit", "raw", "expected"),
        [
            ("quantity", "ohm", "4k7 ±5%", (4700, 4700, 5, "")),
            ("quantity", "%", "±1 %", (1, 1, None, "")),
            ("range", "V", "4.5-28V", (4.5, 28, None, "")),
            ("range", "V", "5V", (5, 5, None, "")),
            ("choice", "", "x7r", (None, None, None, "X7R")),
            ("text", "", "  24  Steps ", (None, None, None, "24 steps")),
            ("boolean", "", "True", (None, None, None, "yes")),
            ("boolean", "", "no", (None, None, None, "no")),
            # what cannot be read is kept, and unknown
            ("quantity", "ohm", "about ten", (None, None, None, "")),
            ("choice", "", "Z5U", (None, None, None, "")),
            ("boolean", "", "perhaps", (None, None, None, "")),
        ],
    )
    def test_what_is_written_is_kept_beside_what_it_says(
        self, kind: str, unit: str, raw: str, expected: tuple[Any, ...]
    ) -> None:
        of = define("a", kind=kind, unit=unit, choices="C0G\nX7R\n" if kind == "choice" else "")
        value = AttributeValue.objects.create(part=part(), definition=of, raw=raw)
        assert says(value) == expected
        assert value.raw == raw

    @pytest.mark.parametrize(("kind", "raw"), [("quantity", "ten"), ("range", "5-2V"), ("boolean", "perhaps")])
    def test_a_person_is_told_what_cannot_be_read(self, kind: str, raw: str) -> None:
        value = AttributeValue(part=part(), definition=define("a", kind=kind, unit="V"), raw=raw)
        with pytest.raises(ValidationError) as caught:
            value.clean()
        assert set(caught.value.message_dict) == {"raw"}

    def test_saving_one_column_saves_what_it_says(self) -> None:
        value = AttributeValue.objects.create(part=part(), definition=define("a", unit="ohm"), raw="1k")
        value.raw = "2k"
        value.save(update_fields=["raw"])
        assert says(value)[0] == 2000

    def test_values_are_read_anew_when_their_definition_changes(self) -> None:
        of = define("a", kind=KIND.TEXT)
        value = AttributeValue.objects.create(part=part(), definition=of, raw="4k7")
        assert says(value) == (None, None, None, "4k7")
        of.kind, of.match, of.unit = KIND.QUANTITY, MATCH.EXACT, "ohm"
        of.save()
        assert says(value) == (4700, 4700, None, "")
        of.unit = "V"
        of.save()
        assert says(value)[0] == 4700
        of.kind, of.match, of.choices = KIND.CHOICE, MATCH.ONE_OF, "10k"
        of.save()
        assert says(value) == (None, None, None, "")


@pytest.mark.django_db
class TestWhatTheDatabaseKeepsTrue:
    @pytest.mark.parametrize(
        "columns", ["num_lo = 2, num_hi = 1", "num_lo = 2, num_hi = NULL", "num_hi = 2, num_lo = NULL", "tol_pct = -1"]
    )
    def test_numbers_are_from_low_to_high(self, columns: str) -> None:
        value = AttributeValue.objects.create(part=part(), definition=define("a", unit="ohm"), raw="1k")
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(f"UPDATE parts_attributevalue SET {columns} WHERE id = %s", [value.pk])

    def test_a_value_has_the_type_of_its_part_and_goes_with_it(self) -> None:
        other = PartType.objects.create(name="Capacitor")
        it, of = part(), define("a", unit="ohm")
        value = AttributeValue.objects.create(part=it, definition=of, raw="1k")
        value.refresh_from_db()
        assert value.type_id == it.type_id
        AttributeValue.objects.filter(pk=value.pk).update(type=other)
        value.refresh_from_db()
        assert value.type_id == it.type_id
        Part.objects.filter(pk=it.pk).update(type=other)
        value.refresh_from_db()
        assert (value.type_id, value.num_lo) == (other.pk, 1000)

    def test_a_version_that_reads_nothing_may_write(self) -> None:
        it, of = part(), define("a", unit="ohm")
        with connection.cursor() as cursor:  # as the version before does
            cursor.execute(
                "INSERT INTO parts_attributevalue (part_id, definition_id, raw) VALUES (%s, %s, '1k') RETURNING id",
                [it.pk, of.pk],
            )
            value = AttributeValue.objects.get(pk=cursor.fetchone()[0])
            assert says(value) == (None, None, None, "")
            assert value.type_id == it.type_id
            assert read_attributes() == 1
            assert says(value) == (1000, 1000, None, "")
            cursor.execute("UPDATE parts_attributevalue SET raw = '2k' WHERE id = %s", [value.pk])
        assert says(value) == (None, None, None, "")  # not what it was: unknown
        assert (read_attributes(), read_attributes()) == (1, 0)
        assert says(value) == (2000, 2000, None, "")


@pytest.mark.django_db(transaction=True)
def test_a_value_that_is_written_while_its_part_changes_type_has_the_new_type() -> None:
    it, of, other = part(), define("a", unit="ohm"), PartType.objects.create(name="Capacitor")
    made: list[int] = []

    def write() -> None:
        made.append(AttributeValue.objects.create(part_id=it.pk, definition=of, raw="1k").pk)
        connections.close_all()

    with transaction.atomic():
        Part.objects.filter(pk=it.pk).update(type=other)
        writer = threading.Thread(target=write)
        writer.start()
        wait_for_a_lock()
    writer.join()
    assert AttributeValue.objects.get(pk=made[0]).type_id == other.pk


def wait_for_a_lock() -> None:
    """Return when another session waits for a lock."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot(), count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[1]:
                return


@pytest.mark.django_db
class TestDefinitions:
    @pytest.mark.parametrize(
        ("values", "wrong"),
        [
            ({"kind": KIND.RANGE, "match": MATCH.HIGHER}, "match"),
            ({"kind": KIND.QUANTITY, "match": MATCH.ONE_OF}, "match"),
            ({"kind": KIND.CHOICE, "match": MATCH.ONE_OF, "choices": " \n "}, "choices"),
            ({"kind": KIND.TEXT, "match": MATCH.ONE_OF, "choices": "a"}, "choices"),
            ({"kind": KIND.QUANTITY, "match": MATCH.EXACT, "rel_tol": -1}, "rel_tol"),
        ],
    )
    def test_a_rule_goes_with_the_kind(self, values: dict[str, Any], wrong: str) -> None:
        definition = AttributeDefinition(part_type=part().type, key="a", label="A", **values)
        with pytest.raises(ValidationError) as caught:
            definition.full_clean()
        assert set(caught.value.message_dict) == {wrong}

    def test_a_key_of_a_type_above_is_taken(self) -> None:
        above = define("a").part_type
        below = PartType.objects.create(name="Thick film", parent=above)
        with pytest.raises(ValidationError, match="a type above"):
            AttributeDefinition(part_type=below, key="a", label="A").full_clean()


@pytest.mark.django_db
class TestAdmin:
    @pytest.fixture
    def admin(self, client: Client) -> Client:
        client.force_login(User.objects.create_superuser("admin"))
        return client

    def form(self, *values: tuple[AttributeDefinition, str]) -> dict[str, Any]:
        rows = {
            f"values-{number}-{name}": content
            for number, (definition, raw) in enumerate(values)
            for name, content in (("definition", definition.pk), ("raw", raw))
        }
        counts = {"values-TOTAL_FORMS": len(values), "values-INITIAL_FORMS": 0}
        return {"type": part("Another").type_id, "name": "Resistor 10k", "min_qty": 0, **counts, **rows}

    def test_a_value_is_read_when_it_is_entered(self, admin: Client) -> None:
        assert admin.post("/admin/parts/part/add/", self.form((define("a", unit="ohm"), "10k"))).status_code == 302
        assert AttributeValue.objects.get().num_lo == 10_000

    def test_what_cannot_be_read_is_refused_with_the_reason(self, admin: Client) -> None:
        answer = admin.post("/admin/parts/part/add/", self.form((define("a", unit="ohm"), "1,000")))
        assert "may be thousands" in answer.content.decode()

    def test_what_is_required_is_missed(self, admin: Client) -> None:
        required = define("a", unit="ohm", required=True, label="Resistance")
        answer = admin.post("/admin/parts/part/add/", self.form())
        assert "needs: Resistance" in answer.content.decode()
        assert admin.post("/admin/parts/part/add/", self.form((required, "1k"))).status_code == 302

    def test_a_type_with_an_attribute_can_be_made(self, admin: Client) -> None:
        row = {"label": "Dielectric", "key": "dielectric", "kind": "choice", "match": "one of", "rel_tol": "1e-6"}
        form = {
            "name": "Capacitor",
            "attributes-TOTAL_FORMS": 1,
            "attributes-INITIAL_FORMS": 0,
            **{f"attributes-0-{name}": value for name, value in row.items()},
            "attributes-0-choices": "C0G\r\nX7R",
            "attributes-0-position": 0,
        }
        assert admin.post("/admin/parts/parttype/add/", form).status_code == 302
        assert AttributeDefinition.objects.get().kind == KIND.CHOICE
