"""Finding, telling and the pages, which are the same on either store; each on a few rows."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.requirement import Requirement, vocabulary
from parts.search import found
from people.roles import Role, give
from projects import building
from projects.importing import read_lines, replace_lines
from projects.models import Build, Project
from projects.report import report
from seeds import plant as seeding
from shops.models import PriceBreak
from stock import ledger, low_stock
from stock.audit import discrepancies
from stock.models import Box, Lot, Movement
from stock.shortlist import Candidate, Wanted, shortlists
from stock.suiting import possible, suiting, unknown
from tests.factories import Shelf, define, part

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def capacitors(transactional_db: None) -> PartType:
    """Capacitors with a number that may be higher, a range and a word, and five of them in a box or in none."""
    of_type = PartType.objects.create(name="Capacitor")
    define("capacitance", part_type=of_type, unit="F")
    define("voltage", part_type=of_type, unit="V", match="higher", position=1)
    define("supply", part_type=of_type, unit="V", kind="range", position=2)
    define("dielectric", part_type=of_type, kind="choice", choices="X7R\nX5R", position=3)
    box = Box.objects.create(code="A1")
    for name, stock, values in (
        ("50 V, some", 5, {"capacitance": "10u", "voltage": "50V", "dielectric": "X7R", "supply": "3-12V"}),
        ("25 V, some", 3, {"capacitance": "10u", "voltage": "25V", "dielectric": "X7R", "supply": "5-9V"}),
        ("25 V, none", 0, {"capacitance": "10u", "voltage": "25V", "dielectric": "X5R"}),
        ("16 V, many", 99, {"capacitance": "10u", "voltage": "16V", "dielectric": "X7R"}),
        ("who knows", 7, {"capacitance": "10u"}),
    ):
        it = Part.objects.create(type=of_type, name=name, package="0805" if "V" in name else "")
        for key, raw in values.items():
            AttributeValue.objects.create(part=it, definition=AttributeDefinition.objects.get(key=key), raw=raw)
        if stock:
            ledger.add(it.pk, box.pk, stock)
    return of_type


def asked(of_type: PartType, *, package: str = "", in_stock: bool = False, **wanted: str) -> Requirement:
    return vocabulary().requirement(of_type.pk, wanted, package=package, in_stock=in_stock)


@pytest.mark.parametrize(
    ("wanted", "suit", "could"),
    [
        ({"capacitance": "10u", "voltage": "20V"}, ["25 V, some", "50 V, some", "25 V, none"], ["who knows"]),
        ({"voltage": "20V", "in_stock": True}, ["25 V, some", "50 V, some"], ["who knows"]),
        ({"dielectric": "X5R"}, ["25 V, none"], ["who knows"]),
        ({"supply": "4V"}, ["50 V, some"], ["16 V, many", "who knows", "25 V, none"]),
        ({"supply": ">=10V"}, ["50 V, some"], ["16 V, many", "who knows", "25 V, none"]),
        ({"voltage": "<20V", "package": "0805"}, ["16 V, many"], ["who knows"]),
        ({"capacitance": "10u ±5%", "voltage": "30-60V"}, ["50 V, some"], ["who knows"]),
        ({"capacitance": "22u"}, [], []),
    ],
)
def test_what_suits_and_what_could(
    capacitors: PartType, wanted: dict[str, Any], suit: list[str], could: list[str]
) -> None:
    requirement = asked(capacitors, **wanted)
    assert [each.name for each in suiting(requirement, 0, 50).parts] == suit
    assert [each.name for each in possible(requirement, 50).parts] == could


def test_pages_of_what_suits_and_what_is_unknown_of_the_rest(capacitors: PartType) -> None:
    requirement = asked(capacitors, capacitance="10u", voltage="20V")
    second = suiting(requirement, 1, 1)
    assert ([each.name for each in second.parts], second.count) == (["50 V, some"], 3)
    (could,) = possible(requirement, 5).parts
    assert unknown(requirement, could) == [("voltage", "Voltage")]


def test_the_best_for_each_of_several_requirements(capacitors: PartType) -> None:
    ids = {each.name: each.pk for each in Part.objects.all()}
    few, many = (Wanted(asked(capacitors, voltage="20V"), quantity) for quantity in (3, 4))
    assert shortlists([few, many], 2) == [
        [Candidate(ids["25 V, some"], 3), Candidate(ids["50 V, some"], 5)],
        [Candidate(ids["50 V, some"], 5), Candidate(ids["25 V, some"], 3)],
    ]


def test_a_project_is_matched_built_and_given_back(capacitors: PartType) -> None:
    PartType.objects.filter(pk=capacitors.pk).update(designators="C")
    timer = part("Timer", mpn="NE555")
    ledger.add(timer.pk, Box.objects.get().pk, 1)
    it = Project.objects.create(name="Blinker")
    content = "Reference,Value,Footprint,MPN\nC1-C2,10u X7R,C_0805_2012Metric,\nU1,NE555,,NE555\n"
    replace_lines(it, read_lines(content.encode()))
    found = report(it)
    assert [(each.part and each.part.name, f"{each.status}") for each in found.lines] == [
        ("16 V, many", "have"),
        ("Timer", "have"),
    ]
    with pytest.raises(building.NotBuildable):  # there is one timer
        building.build(it, 2, key=uuid.uuid4())
    before = stock_of_all()
    made = building.build(it, 1, key=uuid.uuid4())
    assert sum(before.values()) - sum(stock_of_all().values()) == 3
    assert building.build(it, 1, key=made.build.key).replayed
    building.undo(made.build)
    assert stock_of_all() == before
    assert Build.objects.get(building.UNDONE) == made.build
    assert discrepancies() == []


def stock_of_all() -> dict[str, int]:
    return dict(Lot.objects.values_list("part__name", "qty"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("4k7", ["Resistor 4k7"]),
        ("YAGEO resist", ["Resistor 47k", "Resistor 4k7"]),
        ("rc-4.7k", ["Resistor 4k7"]),
        ("100%", ["Timer"]),
        (".*", []),
        ("ne555", ["Timer", "Board with a timer NE555-KIT"]),  # the very number first
        ("yageo timer", []),
    ],
)
def test_words_find_parts(transactional_db: None, text: str, names: list[str]) -> None:
    part("Resistor 4k7", mpn="RC-4.7K", manufacturer="Yageo")
    part("Resistor 47k", mpn="RC-47K", manufacturer="Yageo")
    part("Timer", mpn="NE555", tags="tht 100%_sure")
    part("Board with a timer NE555-KIT", mpn="NE555-KIT")
    assert [each.name for each in found(Part.objects.all(), text)] == names


def test_each_dip_is_told_once_and_a_mail_that_fails_by_the_next_run(
    world: Shelf, mailoutbox: list[mail.EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    Part.objects.filter(pk=world.part.pk).update(min_qty=10)
    ledger.take(world.part.pk, world.first.pk, 1)
    with monkeypatch.context() as patch:
        patch.setattr(low_stock, "send_mail", _fails)
        with pytest.raises(ConnectionError):
            low_stock.send_digest()
    assert low_stock.send_digest() == [world.part]
    assert low_stock.send_digest() == []
    ledger.add(world.part.pk, world.first.pk, 1)
    low_stock.send_digest()
    ledger.take(world.part.pk, world.first.pk, 2)
    assert low_stock.send_digest() == [world.part]
    assert [message.subject for message in mailoutbox] == 2 * ["Low stock: Resistor 4k7"]


def _fails(*_: object) -> None:
    raise ConnectionError


def test_seeds_are_planted_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    few = list(seeding.parts())[:5]
    monkeypatch.setattr(seeding, "parts", lambda: few)
    new, movements = seeding.plant_parts()
    assert (new, movements) == (5, sum(len(seed.stock) for seed in few))
    assert seeding.plant_parts() == (0, 0)
    assert AttributeValue.objects.count() == sum(len(seed.values) for seed in few)
    sold = [each for each in seeding.offers() if each.part in few]
    assert seeding.plant_offers() == len(sold) > 0
    assert PriceBreak.objects.count() == sum(len(each.breaks) for each in sold)
    assert (seeding.plant_projects(), Project.objects.count()) == (2, 2)
    assert (seeding.plant_offers(), seeding.plant_projects()) == (0, 0)
    assert [report(each).boards for each in Project.objects.all()] == [2, 5]


def test_a_keeper_logs_in_takes_adds_moves_counts_and_undoes(world: Shelf, client: Client) -> None:
    give(User.objects.create_user("keeper", password="keeper"), Role.KEEPER)
    assert client.post("/accounts/login/", {"username": "keeper", "password": "keeper"}).status_code == 302
    page = f"/parts/{world.part.pk}/"
    for path, form in (
        ("change/", {"action": "take", "box": world.first.pk, "quantity": 3}),
        ("change/", {"action": "add", "box": world.second.pk, "quantity": 5}),
        ("move/", {"source": world.second.pk, "target": world.first.pk, "quantity": 2}),
    ):
        assert client.post(page + path, {**form, "key": uuid.uuid4()}).status_code == 302
    assert (world.qty(world.first), world.qty(world.second)) == (9, 3)
    assert client.post(f"/movements/{Movement.objects.latest('pk').pk}/undo/").status_code == 302
    key = {"Idempotency-Key": f"{uuid.uuid4()}"}
    body = {"box": "A1", "quantity": 100}
    path = f"/api/v1/parts/{world.part.pk}"
    short = client.post(f"{path}/take", body, content_type="application/json", headers=key)
    assert (short.status_code, short.json()["balance"]) == (409, 7)
    counted = client.post(f"{path}/count", body | {"quantity": 6}, content_type="application/json", headers=key)
    assert (counted.status_code, world.qty(world.first)) == (201, 6)
    told = client.get(f"{path}").json()
    assert (told["id"], told["total"], len(told["movements"])) == (world.part.pk, 11, 8)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1/find?line=resistor, in stock",
        "/parts/",
        "/parts/?q=4k7",
        "/boxes/",
        "/boxes/A1/",
        "/types/",
        "/find/",
        "/health/ready",
    ]
    + [f"/api/v1/{each}" for each in ("parts?in_stock=true", "parts?low=false", "parts?box=A1", "lots", "boxes")]
    + [
        f"/api/v1/{each}"
        for each in ("movements", "low-stock", "types", "shops", "projects", "shopping-list", "export")
    ],
)
def test_whoever_looks_sees_something(world: Shelf, kept: Client, path: str) -> None:
    answer = kept.get(path)
    assert answer.status_code == 200
    assert answer.getvalue()


def test_definitions_are_kept_in_the_admin(world: Shelf, client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    of_type = world.part.type
    lists = ("parts/part", "parts/parttype", "stock/lot", "stock/movement", "stock/box", "auth/user")
    assert {client.get(f"/admin/{each}/").status_code for each in lists} == {200}
    form = {"name": "Resistor", "designators": "R", "parent": "", "attributes-TOTAL_FORMS": 1}
    form |= {"attributes-INITIAL_FORMS": 0, "attributes-0-label": "Resistance", "attributes-0-key": "resistance"}
    form |= {"attributes-0-kind": "quantity", "attributes-0-match": "exact", "attributes-0-unit": "ohm"}
    form |= {"attributes-0-rel_tol": "0.01", "attributes-0-position": 0}
    answer = client.post(f"/admin/parts/parttype/{of_type.pk}/change/", form)
    assert answer.status_code == 302, answer.content.decode()
    assert AttributeDefinition.objects.get().part_type_id == of_type.pk
    assert client.get(f"/admin/parts/part/?q={world.part.name}").content.count(b"field-mpn") == 1


def test_an_approximate_lot_says_so(world: Shelf) -> None:
    ledger.count(world.part.pk, world.first.pk, 30, roughly=True)
    assert f"{Lot.objects.get()}" == "about 30 in A1"
