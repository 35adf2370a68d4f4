"""EventBridge Scheduler: schedules that fire. The API and what it remembers are moto's.

``expressions``  rate(), at() and cron() as values; ``cron`` the six fields and their rules: pure
``occurrences``  when a schedule fires next: pure
``delivery``     when an invocation is tried again, and when it is given up: pure
``requests``     the RunTask call that a target stands for, and the dead-letter message: pure
``reader``       the only file that reads moto: schedules, and the checks in front of its actions
``engine``       looks at the clock, fires and retries
"""

from seatrial.emulator.schedules.engine import SchedulesEngine

__all__ = ["SchedulesEngine"]
