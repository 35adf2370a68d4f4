"""How long the proxy's keeper waits before it starts one again."""

from __future__ import annotations

from seatrial.emulator.loadbalancing.keeper import LONGEST_DELAY, delay


def test_the_first_start_is_at_once_and_later_ones_are_backed_off() -> None:
    delays = [delay(deaths) for deaths in range(1, 20)]
    assert delays[:4] == [0.0, 0.5, 1.0, 2.0]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY
    assert delay(10**9) == LONGEST_DELAY
