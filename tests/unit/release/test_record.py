"""Numbered releases and the lock, in a parameter store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.aws.ssm import Ssm
from seatrial.errors import NeedsHuman, UsageError
from seatrial.release.lock import Lock, age, process_name
from seatrial.release.record import Record, Records, decoded, encoded
from tests.unit.release.support import FakeAws, FakeClock, settings_of

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def record(version: str = "v", **revisions: str) -> Record:
    return Record(0, version, "sha256:1", dict(revisions), "arn:aws:iam::1:user/x", AT)


@pytest.fixture
def ssm() -> Ssm:
    return Ssm(FakeAws(settings_of(), FakeClock()))


def test_numbers_count_up_and_listing_takes_ten_a_call(ssm: Ssm) -> None:
    records = Records(ssm, "/shop/production")
    for number in range(1, 24):
        assert records.open(record(f"v{number}")).number == number
    assert [each.number for each in records.newest_first()] == list(range(23, 0, -1))


def test_a_number_left_by_a_killed_release_is_passed_over(ssm: Ssm) -> None:
    records = Records(ssm, "/shop/production")
    records.open(record())
    ssm.put("/shop/production/releases/000002", encoded(record()), overwrite=False)
    assert records.open(record()).number == 3
    assert records.latest_number() == 3


def test_serving_is_the_newest_that_was_released(ssm: Ssm) -> None:
    records = Records(ssm, "/shop/production")
    for version, ending in (("a", "released"), ("b", "released"), ("c", "rolled_back")):
        opened = records.open(record(version, web=version))
        records.close(opened.ended(ending, 3.14159, "why"))  # type: ignore[arg-type]  # literals from a tuple
    serving = records.serving()
    assert serving is not None
    assert (serving.version, serving.seconds) == ("b", 3.1)
    before = records.before(serving)
    assert before is not None
    assert before.version == "a"


@settings(max_examples=40)
@given(
    st.text(max_size=9000), st.dictionaries(st.from_regex(r"[a-z]{1,20}", fullmatch=True), st.just("f:1"), max_size=40)
)
def test_a_record_always_fits_a_parameter_and_comes_back(note: str, revisions: dict[str, str]) -> None:
    written = record(**revisions).ended("rolled_back", 1, note)
    text = encoded(written)
    assert len(text.encode()) <= 4096
    back = decoded(text)
    assert back.revisions == revisions
    assert back == written or (back.note.endswith("...") and note.startswith(back.note[:-3]))


def test_the_lock_has_one_holder(ssm: Ssm) -> None:
    clock = FakeClock()
    one, other = Lock(ssm, "/shop/production", clock), Lock(ssm, "/shop/production", clock)
    assert one.take("arn:one") is None
    one.check()
    clock.time = 3700
    with pytest.raises(UsageError, match=r"arn:one \(.*\), for 1 h 1 min"):
        other.take("arn:two")
    taken = other.take("arn:two", take_over=True)
    assert taken is not None
    assert taken.who == "arn:one"
    with pytest.raises(NeedsHuman, match="arn:two"):
        one.check()
    one.give_back()
    other.check()
    other.give_back()
    assert other.holder() is None
    with pytest.raises(NeedsHuman):
        other.check()


def test_the_holder_is_named_by_the_ci_job_or_process_and_never_by_the_machine() -> None:
    assert process_name({}, 42) == "process 42"
    assert process_name({"GITHUB_RUN_ID": "77", "HOSTNAME": "secret-host"}, 42) == "GitHub run 77"
    assert process_name({"CI_JOB_URL": "https://ci/1"}, 42) == "GitLab job https://ci/1"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7260, "2 h 1 min")]
)
def test_ages_are_told_as_people_do(seconds: float, text: str) -> None:
    assert age(seconds) == text
