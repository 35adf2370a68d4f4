"""Finding parts by requirement: the page, what is saved, and the JSON interface."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from parts.models import Part, PartType, SavedRequirement
from tests.factories import define, part

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

LINE = "capacitor, ≥ 10 µF, ≥ 25 V, in stock"


def type_id(name: str) -> int:
    return PartType.objects.get(name=name).pk


def find(client: Client, **query: Any) -> str:
    query = {key.replace("attr_", "attr:"): value for key, value in query.items()}
    answer = client.get(f"/find/?{urlencode(query, doseq=True)}", follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def buckets(page: str) -> tuple[str, str]:
    """Return what suits and what could, as they are on the page."""
    _, _, results = page.partition('id="suits"')
    suits, _, possible = results.partition('id="possible"')
    return suits, possible


class TestPage:
    def test_it_is_open_to_visitors_and_offers_every_type(self, client: Client) -> None:
        page = find(client)
        assert "Ceramic" in page
        assert '<form method="post"' not in page
        assert 'id="suits"' not in page

    def test_a_line_has_the_address_of_what_it_means(self, client: Client) -> None:
        answer = client.get("/find/", {"line": LINE})
        assert answer.status_code == 302
        assert answer["Location"] == "/find/?" + urlencode(
            {
                "type": type_id("Capacitor"),
                "attr:capacitance": "≥ 10 µF",
                "attr:voltage": "≥ 25 V",
                "stock": 1,
            },
            safe=":",
        )
        page = client.get(answer["Location"]).content.decode()
        assert "Capacitor 10uF 50V" in buckets(page)[0]
        assert 'value="≥ 10 µF"' in page  # the form says what was understood
        assert 'name="stock" value="1" checked' in page

    def test_the_form_has_the_attributes_of_the_type_and_of_those_above(self, client: Client) -> None:
        page = find(client, type=type_id("Ceramic"), attr_voltage="50V", attr_dielectric=["C0G", "X7R"])
        for shown in ("Capacitance", "Rated voltage", "Dielectric", 'value="C0G" checked', 'value="X5R">'):
            assert shown in page
        assert "Life at" not in page
        suits, _ = buckets(page)
        assert "13 parts" in suits
        assert "25V" not in suits

    def test_what_is_unknown_could_suit_and_says_what(self, client: Client) -> None:
        suits, possible = buckets(find(client, line="amplifier, rail-to-rail"))
        assert ("MCP6002" in suits, "LM393" in suits) == (True, False)
        assert "°C · 2 · Rail to rail · SOIC-8" in suits
        assert "°C · 2 · DIP-8" in possible
        assert "LM393" in possible
        assert "unknown: Rail to rail" in possible
        assert "1 part," in possible

    def test_what_is_not_understood_is_told_beside_what_was_written(self, client: Client) -> None:
        page = find(client, line="capacitor, purple", type=type_id("Capacitor"))
        assert "“purple” is not understood" in page
        assert 'value="capacitor, purple"' in page
        page = find(client, type=type_id("Capacitor"), attr_capacitance="47", attr_voltage="25V")
        assert "capacitance: “47” of what?" in page
        assert 'aria-invalid="true"' in page
        assert 'value="25V"' in page
        assert 'id="suits"' not in page

    @pytest.mark.parametrize(
        "query",
        [
            "type=nonsense",
            "type=999999",
            "type=²",
            "attr:x=1",
            "line=%00",
            "attr:%00=1",
            "page=-1",
            "type=1&page=x",
            "q=%FF",
            "type={crystal}&package=%25s%27%3B--",
            "type={crystal}&package=" + "x" * 50,
            "type={switch}&attr:contacts=%25(a)s%27",
            "type={switch}&attr:contacts={}%7B0%7D",
            "line=switch, contacts {}%25s",
        ],
    )
    def test_it_bears_nonsense(self, client: Client, query: str) -> None:
        for name in ("crystal", "switch"):
            query = query.replace(f"{{{name}}}", f"{type_id(name.capitalize())}")
        assert client.get(f"/find/?{query}", follow=True).status_code == 200

    def test_what_people_write_is_shown_as_text(self, client: Client) -> None:
        assert "<script" not in find(client, line="<script>alert(1)</script>")
        it = define("x", part_type=PartType.objects.get(name="Crystal"), label="<b>bold</b>")
        assert "<b>" not in find(client, type=it.part_type_id, attr_x="<i>")

    def test_many_are_shown_in_pages(self, client: Client) -> None:
        query = {"type": type_id("Resistor"), "attr_tolerance": "1%"}
        first, second, last = (find(client, **query, page=number) for number in (1, 2, 39))
        assert "90 parts" in buckets(first)[0]
        assert ('rel="prev"' in first, 'rel="next"' in first) == (False, True)
        assert ('rel="prev"' in second, 'rel="next"' in second) == (True, True)
        assert buckets(last) == buckets(first)

    def test_counting_ends_at_a_thousand(self, client: Client) -> None:
        resistor = PartType.objects.get(name="Resistor")
        Part.objects.bulk_create(Part(type=resistor, name=f"{number}", package="0201") for number in range(1001))
        assert "1000+ parts" in find(client, type=resistor.pk, package="0201")

    @pytest.mark.parametrize("line", ["resistor, 1%", "amplifier, rail-to-rail"])
    def test_it_takes_six_queries_however_many_are_found(
        self, client: Client, django_assert_num_queries: Any, line: str
    ) -> None:
        address = client.get("/find/", {"line": line})["Location"]
        with django_assert_num_queries(6):  # types, definitions, two buckets, lots, attributes
            client.get(address)

    def test_the_keeper_may_take_from_what_was_found(self, kept: Client) -> None:
        page = find(kept, line=LINE)
        assert 'name="action" value="take"' in buckets(page)[0]


class TestSaved:
    def save(self, client: Client, name: str, query: str) -> str:
        answer = client.post("/find/save/", {"name": name, "query": query}, follow=True)
        assert answer.status_code == 200
        return answer.content.decode()

    def query(self) -> str:
        wanted = {"attr:capacitance": "≥ 10 µF", "attr:dielectric": "X7R | X5R", "package": "0805", "stock": "1"}
        return urlencode({"type": type_id("Ceramic"), **wanted})

    def test_it_is_saved_shared_and_deleted(self, kept: Client) -> None:
        page = self.save(kept, "  for   decoupling ", self.query())
        it = SavedRequirement.objects.get()
        assert (it.name, it.package, it.in_stock) == ("for decoupling", "0805", True)
        assert it.wanted == {"capacitance": "≥ 10 µF", "dielectric": "X7R | X5R"}
        assert f"http://testserver/find/saved/{it.pk}/" in page
        assert page.count("for decoupling") > 1  # the message, and the list
        shared = Client().get(it.get_absolute_url(), follow=True)
        assert "Capacitor 10uF 6.3V X5R" in buckets(shared.content.decode())[0]
        assert "for decoupling" not in shared.content.decode()
        answer = kept.post(f"/find/saved/{it.pk}/delete/", follow=True)
        assert "no longer saved" in answer.content.decode()
        assert not SavedRequirement.objects.exists()
        assert Client().get(it.get_absolute_url()).status_code == 404

    def test_a_name_is_saved_once(self, kept: Client) -> None:
        self.save(kept, "mine", self.query())
        self.save(kept, "mine", urlencode({"type": type_id("Resistor"), "attr:resistance": "4k7"}))
        assert SavedRequirement.objects.get().wanted == {"resistance": "4k7"}

    @pytest.mark.parametrize(
        ("name", "query", "message"),
        [
            ("", "type={ceramic}", "needs a name"),
            ("\x00", "type={ceramic}", "needs a name"),
            ("mine", "", "needs a name and a type"),
            ("mine", "type={ceramic}&attr:capacitance=many", "Not saved. capacitance"),
            ("mine", "type=999999", "Not saved. type: there is no type"),
        ],
    )
    def test_what_cannot_be_saved(self, kept: Client, name: str, query: str, message: str) -> None:
        assert message in self.save(kept, name, query.format(ceramic=type_id("Ceramic")))
        assert not SavedRequirement.objects.exists()

    def test_it_needs_a_login(self, client: Client) -> None:
        for path in ("/find/save/", "/find/saved/1/delete/"):
            assert client.post(path)["Location"].startswith("/accounts/login/")

    def test_only_its_owner_deletes_it(self, kept: Client) -> None:
        other = User.objects.create_user("other")
        it = SavedRequirement.objects.create(user=other, name="mine", part_type_id=type_id("Ceramic"))
        assert kept.post(f"/find/saved/{it.pk}/delete/").status_code == 404
        assert SavedRequirement.objects.exists()

    def test_one_of_an_attribute_that_is_gone_says_so(self, client: Client, keeper: User) -> None:
        it = SavedRequirement.objects.create(
            user=keeper, name="old", part_type_id=type_id("Ceramic"), wanted={"gone": "1"}
        )
        assert "gone: Ceramic has no such attribute" in client.get(it.get_absolute_url(), follow=True).content.decode()


class TestApi:
    def get(self, client: Client, **query: Any) -> tuple[int, Any]:
        answer = client.get("/api/v1/find", {key.replace("attr_", "attr:"): value for key, value in query.items()})
        return answer.status_code, answer.json()

    def test_a_line_is_understood_and_answered(self, client: Client) -> None:
        status, body = self.get(client, line="inductor, 10uH, ≥ 1A, in stock")
        coil = Part.objects.get(mpn="SRN4018-100M")
        bead = Part.objects.get(mpn="BLM21PG601SN1D")
        assert status == 200
        uncounted = {"approximate": False, "counted_at": None}
        for each in (*body["suits"]["parts"], *body["could_suit"]["parts"]):
            each["attributes"] = {attribute["key"]: attribute["understood"] for attribute in each["attributes"]}
        assert body == {
            "requirement": {
                "type_id": type_id("Inductor"),
                "type": "Inductor",
                "wanted": {"inductance": "10uH", "current": "≥ 1A"},
                "package": "",
                "in_stock": True,
            },
            "suits": {
                "count": 1,
                "more": False,
                "parts": [
                    {
                        "id": coil.pk,
                        "name": "Coil 10u shielded",
                        "mpn": "SRN4018-100M",
                        "manufacturer": "Bourns",
                        "package": "4018",
                        "attributes": {"inductance": "10 µH", "current": "1.35 A"},
                        "stock": [{"box": "B4", "quantity": 3, **uncounted}],
                        "total": 3,
                    }
                ],
            },
            "could_suit": {
                "count": 1,
                "more": False,
                "parts": [
                    {
                        "id": bead.pk,
                        "name": "Ferrite bead 600R",
                        "mpn": "BLM21PG601SN1D",
                        "manufacturer": "Murata",
                        "package": "0805",
                        "attributes": {"current": "1.5 A"},
                        "stock": [{"box": "B4", "quantity": 64, **uncounted}],
                        "total": 64,
                        "unknown": ["inductance"],
                    }
                ],
            },
        }

    def test_attributes_are_asked_for_by_key(self, client: Client) -> None:
        query = {"type": type_id("Regulator"), "attr_supply": "9-12V", "attr_output": "5V"}
        status, body = self.get(client, **query)
        assert (status, body["suits"]["count"]) == (200, 5)
        assert body["suits"]["parts"][0]["mpn"] == "L7805CV"
        assert self.get(client, **query, page=2)[1]["suits"]["parts"] == []

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ({}, "type"),
            ({"type": "x"}, "type"),
            ({"attr_capacitance": "10u"}, "type"),
            ({"line": "10k"}, "line"),
            ({"line": "resistor, 10k", "page": "0"}, "page"),
            ({"line": "resistor, 10k", "page": "41"}, "page"),
            ({"line": "resistor\n10k"}, "line"),
            ({"line": "resistor, 10k", "bucket": ""}, "bucket"),
            ({"line": "resistor, 10k", "bucket": "could_suit"}, "bucket"),
        ],
    )
    def test_what_is_wrong_is_400_with_the_reason(self, client: Client, query: dict[str, str], wrong: str) -> None:
        status, body = self.get(client, **query)
        assert (status, [each["parameter"] for each in body["errors"]]) == (400, [wrong])
        assert body["detail"] == f"{wrong}: {body['errors'][0]['detail']}"

    def test_it_takes_six_queries(self, client: Client, django_assert_num_queries: Any) -> None:
        part("Resistor without anything", type=PartType.objects.get(name="Resistor"))
        with django_assert_num_queries(6):
            self.get(client, line="resistor, 220R, 1%")
        with django_assert_num_queries(7):  # it may be a package
            self.get(client, line="resistor, 4k7, 1%")

    @pytest.mark.parametrize("path", ["/api/v1/find", "/api/find"])
    @pytest.mark.parametrize(("bucket", "half"), [("suits", "suits"), ("could", "could_suit")])
    def test_each_half_is_had_alone_for_five_queries(
        self, client: Client, django_assert_num_queries: Any, path: str, bucket: str, half: str
    ) -> None:
        part("Resistor without anything", type=PartType.objects.get(name="Resistor"))
        query = {"line": "resistor, 220R, 1%"}
        both = client.get(path, query).json()
        with django_assert_num_queries(5):
            alone = client.get(path, query | {"bucket": bucket}).json()
        assert alone == {"requirement": both["requirement"], half: both[half]}
        assert alone[half]["count"] > 0
