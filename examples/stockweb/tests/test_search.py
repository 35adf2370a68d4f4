"""What a search finds, and in which order."""

import pytest
from django.db import connection

from parts.models import Part
from parts.search import found
from tests.factories import part

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawer() -> None:
    part("Resistor 4k7 0805", mpn="RC0805FR-074K7L", manufacturer="Yageo", tags="smd basic")
    part("Resistor 47k 0805", mpn="RC0805FR-0747KL", manufacturer="Yageo", tags="smd basic")
    part("Capacitor 10nF", mpn="C0805C103K5RAC", manufacturer="KEMET", description="X7R for decoupling")
    part("Capacitor 100nF", mpn="C0805C104K5RAC", manufacturer="KEMET")
    part("Timer NE555", mpn="NE555P", manufacturer="Texas Instruments", tags="tht 100%_sure")
    part("Timer board", mpn="NE555P-KIT", manufacturer="Adafruit", description="NE555P NE555P NE555P")


def names(text: str) -> list[str]:
    return [each.name for each in found(Part.objects.all(), text)]


@pytest.mark.usefixtures("drawer")
class TestSearch:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("4k7", ["Resistor 4k7 0805"]),  # in the name
            ("c0805c103", ["Capacitor 10nF"]),  # in the number, capitals or not
            ("texas", ["Timer NE555"]),  # in the manufacturer
            ("decoupling", ["Capacitor 10nF"]),  # in the description
            ("tht", ["Timer NE555"]),  # in the tags
            ("kemet 100n", ["Capacitor 100nF"]),  # every word, in any field and order
            ("kemet yageo", []),
            ("nothing-like-it", []),
        ],
    )
    def test_finds_parts_of_words_in_every_field(self, text: str, expected: list[str]) -> None:
        assert names(text) == expected

    @pytest.mark.parametrize("text", ["resitor", "RESISTR", "rezistor", "registor"])
    def test_a_word_may_be_misspelt(self, text: str) -> None:
        assert sorted(names(text)) == ["Resistor 47k 0805", "Resistor 4k7 0805"]

    def test_a_wrong_digit_is_another_part(self) -> None:
        assert names("c0805c105k5rac") == []

    def test_the_very_number_comes_first(self) -> None:
        assert names("ne555p") == ["Timer NE555", "Timer board"]

    @pytest.mark.parametrize(
        ("text", "expected"), [("100%_sure", ["Timer NE555"]), ("%", ["Timer NE555"]), ("4_7", [])]
    )
    def test_signs_of_the_pattern_language_are_ordinary(self, text: str, expected: list[str]) -> None:
        assert names(text) == expected

    @pytest.mark.parametrize("text", ["", "   ", "\x00"])
    def test_no_words_find_everything(self, text: str) -> None:
        assert len(names(text)) == 6

    def test_a_very_long_text_is_cut(self) -> None:
        assert names("0805 " * 500 + "nothing") != []


def test_the_trigram_index_serves_parts_of_words_and_misspelt_ones() -> None:
    queries = [found(Part.objects.all(), text).order_by().values("pk") for text in ("4K7L", "resitor")]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for query in queries:
        assert "part_search" in query.explain()
