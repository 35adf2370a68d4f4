"""Why a release failed: each rule with the words that AWS, Django or a server leave behind, and none on a good day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.aws.elbv2 import TargetHealth
from seatrial.release.causes import RULES, Evidence, FailedCheck, Stopped, causes
from seatrial.release.evidence import details


def answered(*codes: int) -> Evidence:
    text = f"Health checks failed with these codes: [{', '.join(map(str, codes))}]"
    target = TargetHealth("10.0.0.5", 8000, "unhealthy", "Target.ResponseCodeMismatch", text)
    return Evidence("web", targets=(target,), health_path="/health")


def logged(*lines: str) -> Evidence:
    return Evidence("web", log=lines)


def stopped(
    reason: str = "Essential container in task exited", code: int | None = None, inner: str | None = None
) -> Evidence:
    return Evidence("web", stopped=(Stopped("abcdef123456", reason, "EssentialContainerExited", code, inner),))


#: A task that was stopped since nobody answered its health checks.
REFUSED = Evidence(
    "web",
    stopped=(
        Stopped("abc", "Task failed ELB health checks in (target-group x)", "ServiceSchedulerInitiated", 143, None),
    ),
    targets=(TargetHealth("10.0.0.1", 8000, "unhealthy", "Target.FailedHealthChecks", "Health checks failed"),),
    health_path="/health",
)


#: rule → evidence it must find, and words its sentence must have.
CASES: list[tuple[str, Evidence, str]] = [
    (
        "smoke-check",
        Evidence("web", check=FailedCheck("home", "GET / answered 500, not 200")),
        "home: GET / answered 500",
    ),
    ("disallowed-host", answered(400), "the task's own IP address"),
    (
        "disallowed-host",
        logged("Invalid HTTP_HOST header: '10.0.0.5:8000'. You may need to add '10.0.0.5' to ALLOWED_HOSTS."),
        "10.0.0.5:8000",
    ),
    ("redirected", answered(301), "SECURE_SSL_REDIRECT"),
    ("redirected", answered(302), "302"),
    ("no-such-path", answered(404), "/health"),
    ("login-required", answered(403), "403"),
    ("unapplied-migrations", logged("You have 3 unapplied migration(s)."), "3 unapplied"),
    (
        "unapplied-migrations",
        logged('django.db.utils.ProgrammingError: relation "stock_part" does not exist'),
        'relation "stock_part"',
    ),
    ("not-ready", answered(503), "503"),
    ("error-answer", answered(500), "500"),
    ("error-answer", answered(200, 502), "502"),
    (
        "listens-on-loopback",
        Evidence("web", health_path="/", command=("gunicorn", "app.wsgi", "--bind", "127.0.0.1:8000")),
        "127.0.0.1:8000",
    ),
    (
        "no-answer",
        Evidence("web", targets=(TargetHealth("10.0.0.5", 8000, "unhealthy", "Target.Timeout", "Request timed out"),)),
        "does not answer",
    ),
    (
        "no-answer",
        Evidence(
            "web",
            said=("(service web) (port 8000) is unhealthy in (target-group x) due to (reason Request timed out)",),
        ),
        "in time",
    ),
    (
        "improperly-configured",
        logged("django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty."),
        "SECRET_KEY setting must not be empty",
    ),
    ("missing-variable", logged("KeyError: 'DJANGO_SECRET_KEY'"), "DJANGO_SECRET_KEY"),
    ("missing-module", logged("ModuleNotFoundError: No module named 'stokweb'"), "stokweb"),
    ("missing-setting", logged("AttributeError: 'Settings' object has no attribute 'SHOP_NAME'"), "settings.SHOP_NAME"),
    ("static-manifest", logged("ValueError: Missing staticfiles manifest entry for 'app.css'"), "app.css"),
    (
        "database-password",
        logged('connection failed: FATAL:  password authentication failed for user "shop"'),
        "user shop",
    ),
    ("database-missing", logged('FATAL:  database "shop" does not exist'), "database shop"),
    (
        "database-unreachable",
        logged(
            'psycopg.OperationalError: connection failed: server at "10.0.0.9", port 5432 failed: Connection refused'
        ),
        "Connection refused",
    ),
    (
        "broker-unreachable",
        logged("Error 111 connecting to cache.example:6379. Connection refused."),
        "cache.example:6379.",
    ),
    ("broker-unreachable", logged("redis.exceptions.TimeoutError: Timeout reading from socket"), "Timeout reading"),
    ("broker-unreachable", logged("consumer: Cannot connect to redis://cache:6379/0: Timeout"), "redis://cache:6379/0"),
    ("database-error", logged("django.db.utils.IntegrityError: duplicate key value"), "IntegrityError: duplicate key"),
    ("port-taken", logged("[ERROR] Connection in use: ('0.0.0.0', 8000)"), "8000"),
    ("worker-boot", logged("[ERROR] Reason: Worker failed to boot."), "gunicorn"),
    (
        "image-pull",
        stopped("CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"),
        "not found",
    ),
    ("image-pull", stopped("Task failed to start", inner="CannotPullImageManifestError: denied"), "denied"),
    (
        "secret",
        stopped("ResourceInitializationError: unable to pull secrets or registry auth: secret arn:x not found"),
        "arn:x not found",
    ),
    (
        "initialization",
        stopped("ResourceInitializationError: failed to validate logger args: the connection timed out"),
        "logger args",
    ),
    ("no-such-command", stopped(inner="CannotStartContainerError: exec: gunicron: not found"), "gunicron"),
    ("out-of-memory", stopped(code=137), "memory"),
    ("out-of-memory", stopped(inner="OutOfMemoryError: Container killed due to memory usage"), "killed"),
    ("out-of-memory", stopped(code=137, inner="OutOfMemoryError: Container killed due to memory usage"), "more memory"),
    ("not-listening", REFUSED, "nothing listens yet at the port of web when its grace period is over"),
    (
        "not-listening",
        replace(
            REFUSED,
            stopped=(
                Stopped("a", "Scaling activity initiated by (deployment x)", "ServiceSchedulerInitiated", 143, None),
            ),
            said=("(service web) (task a) is unhealthy in (target-group x) due to (reason Health checks failed).",),
        ),
        "nothing listens yet",
    ),
    ("exited", stopped(code=3), "exit code 3"),
    (
        "exception",
        replace(
            logged(
                '  File "wsgi.py", line 2, in <module>',
                "ValueError: an earlier one",
                "",
                "During handling of the above exception, another exception occurred:",
                "",
                "Traceback (most recent call last):",
                '  File "wsgi.py", line 3, in <module>',
                "    raise Broken(",
                "shop.errors.Broken: it cannot start",
            ),
            stopped=stopped(code=1).stopped,
        ),
        "web ended with shop.errors.Broken: it cannot start",
    ),
]


@pytest.mark.parametrize(("rule", "evidence", "words"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_a_rule_finds_its_cause(rule: str, evidence: Evidence, words: str) -> None:
    found = {each.rule: each for each in causes(evidence)}
    assert rule in found
    assert words in found[rule].text
    assert found[rule].advice
    assert "{" not in found[rule].text + found[rule].advice


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in RULES} == {case[0] for case in CASES}


def test_a_good_day_has_no_cause() -> None:
    healthy = TargetHealth("10.0.0.5", 8000, "healthy", None, None)
    evidence = Evidence(
        "web",
        targets=(healthy,),
        said=("(service web) has reached a steady state.",),
        log=("GET /stock/400 200", "listening at 0.0.0.0:8000"),
        health_path="/health",
        command=("gunicorn", "app.wsgi", "--bind", "0.0.0.0:8000"),
        stopped=(Stopped("abc", "Scaling activity initiated by (deployment ecs-svc/1)", None, 0, None),),
    )
    assert causes(evidence) == ()


def test_braces_in_what_was_found_are_left_alone() -> None:
    (cause,) = causes(logged("ImproperlyConfigured: bad value {'a': 1}"))
    assert "{'a': 1}" in cause.text


def test_the_most_specific_cause_comes_first() -> None:
    evidence = Evidence(
        "web", stopped=(Stopped("a", "Essential container in task exited", None, 1, None),), log=("KeyError: 'TOKEN'",)
    )
    assert [each.rule for each in causes(evidence)] == ["missing-variable", "exited"]


def test_a_task_that_ecs_stopped_did_not_end_by_itself() -> None:
    assert [each.rule for each in causes(REFUSED)] == ["not-listening"]
    killed = Stopped("a", "Scaling activity initiated by (deployment x)", "ServiceSchedulerInitiated", 137, None)
    assert causes(Evidence("worker", stopped=(killed,))) == ()


def test_details_show_each_reason_once_and_the_end_of_the_log() -> None:
    same = Stopped("aaaaaaaaaa", "Essential container in task exited", None, 1, None)
    lines = details(Evidence("web", stopped=(same, same), log=("one", "two")))
    assert lines == (
        "task aaaaaaaa: Essential container in task exited; exit code 1",
        "last 2 log lines of web:",
        "| one",
        "| two",
    )
