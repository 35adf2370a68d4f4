"""The picture of a release for the documentation, from a timeline. No I/O."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from bench.drawing import draw, named

from seatrial.rehearsal.timeline import build
from tests.unit.rehearsal.support import RELEASE, SAMPLES, SHIFTED, TASKS, sample

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(picture).iter(f"{SVG}text")]


def test_a_release_that_moves_traffic_is_drawn_with_its_stages() -> None:
    picture = draw(build(SAMPLES, TASKS, [SHIFTED]), "A <canary>", "20 & 80")
    root = ET.fromstring(picture)
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == ("A <canary>", "20 & 80")
    assert len(list(root.iter(f"{SVG}svg"))) == 4  # itself, and three pictures in it
    assert {"old version", "new version", "BAKE_TIME 2.5 s", "20 %", "Tasks"} <= set(texts(picture))
    assert "the load balancer itself, or nobody" not in texts(picture)
    _, _, wide, tall = map(float, root.attrib["viewBox"].split())
    for panel in root.findall(f"{SVG}svg"):
        x, y, width, height = (float(panel.attrib[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + width <= wide
        assert 0 <= y <= y + height <= tall


def test_a_rolling_release_is_drawn_with_its_steps() -> None:
    assert {"Steps", "web 6.0 s"} <= set(texts(draw(build(SAMPLES, TASKS, [RELEASE]), "", "")))


def test_requests_that_no_version_answered_are_in_the_legend() -> None:
    picture = draw(build([*SAMPLES[:90], sample(9.1, None, 502), *SAMPLES[90:]], TASKS, [RELEASE]), "", "")
    assert "the load balancer itself, or nobody" in texts(picture)


def test_what_differs_in_each_release_is_left_out() -> None:
    steps = [
        replace(RELEASE.steps[0], name=name) for name in ("build the bundle 0123abcd", "push it to x:1", "roll out web")
    ]
    timeline = named(build(SAMPLES, TASKS, [replace(RELEASE, steps=tuple(steps))]))
    assert [each.name for each in timeline.releases[0].steps] == ["build the bundle", "push it", "roll out web"]
    assert {task.version for task in timeline.tasks} == {"old version", "new version"}
