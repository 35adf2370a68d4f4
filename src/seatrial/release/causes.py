"""Why a task or a service failed: rules over what it left behind, the well-known mistakes of Django on ECS first.

Pure and driven by one table, :data:`RULES`: each rule looks at an :class:`Evidence` and says in a sentence what is
wrong and what to do. All that match are told, the most specific first.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.aws.elbv2 import TargetHealth


@dataclass(frozen=True)
class Stopped:
    """A task that ended: its stopped reason and code, and its container's exit code and reason."""

    task: str
    reason: str | None
    code: str | None
    exit_code: int | None
    container_reason: str | None


@dataclass(frozen=True)
class FailedCheck:
    """A smoke check that failed: what was wrong, in a sentence, and what the new version said, line by line."""

    name: str
    problem: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What a failed task or service left behind.

    ``log`` are the last lines of the newest failed task, oldest first. ``health_path`` is what the load balancer
    asks for, None where none does. ``said`` are the lines that ECS wrote about the service, newest first. ``check`` is
    the smoke check for which the release was turned back.
    """

    unit: str
    stopped: tuple[Stopped, ...] = ()
    targets: tuple[TargetHealth, ...] = ()
    said: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    health_path: str | None = None
    command: tuple[str, ...] = ()
    check: FailedCheck | None = None

    @property
    def health_codes(self) -> frozenset[str]:
        """The statuses that the health check got and did not want: ``Health checks failed with these codes: [400]``."""
        texts = [
            *(each.description or "" for each in self.targets),
            *self.said,
            *(s.reason or "" for s in self.stopped),
        ]
        return frozenset(
            code for text in texts for group in _CODES.findall(text) for code in re.findall(r"\d{3}", group)
        )

    @property
    def reasons(self) -> str:
        """All stopped reasons as one text."""
        return "\n".join(text for each in self.stopped for text in (each.reason, each.container_reason) if text)


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong. ``rule`` names the rule that found it."""

    rule: str
    text: str
    advice: str

    def to_json(self) -> dict[str, Any]:
        """Return the cause as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Rule:
    """``find`` returns what was found (a regular expression's match, or words to fill in), or None.

    ``text`` and ``advice`` may name ``{unit}``, ``{path}`` and the found words.
    """

    name: str
    find: Callable[[Evidence], dict[str, str] | None]
    text: str
    advice: str


#: Stop codes of tasks that somebody had stopped, by ECS's service scheduler or by a call (ECS API reference, Task).
_STOPPED_BY = ("ServiceSchedulerInitiated", "UserInitiated")
_CODES = re.compile(r"codes: \[([\d, ]+)\]")
#: How ECS's events tell a health check without an answer.
_UNANSWERED = "due to (reason Health checks failed)"
#: A line of a traceback that names a place.
_FRAME = re.compile(r'\s+File "[^"]+", line \d+')
#: Characters of an exception's line that are told; the log has the rest.
_LONGEST = 300


def causes(evidence: Evidence) -> tuple[Cause, ...]:
    """Return every cause that is known to lie behind the evidence, the most specific first."""
    found = []
    for rule in RULES:
        words = rule.find(evidence)
        if words is not None:
            values = {"unit": evidence.unit, "path": evidence.health_path or "/", **words}
            found.append(Cause(rule.name, rule.text.format(**values), rule.advice.format(**values)))
    return tuple(found)


def _in_log(pattern: str) -> Callable[[Evidence], dict[str, str] | None]:
    """Match the last log line that fits; named groups become words."""
    compiled = re.compile(pattern)

    def find(evidence: Evidence) -> dict[str, str] | None:
        for line in reversed(evidence.log):
            match = compiled.search(line)
            if match:
                return {name: value.strip() for name, value in match.groupdict(default="").items()}
        return None

    return find


def _in_reason(pattern: str) -> Callable[[Evidence], dict[str, str] | None]:
    """Match the stopped reasons."""
    compiled = re.compile(pattern)

    def find(evidence: Evidence) -> dict[str, str] | None:
        match = compiled.search(evidence.reasons)
        return None if match is None else {name: value.strip() for name, value in match.groupdict(default="").items()}

    return find


def _answered(*codes: str) -> Callable[[Evidence], dict[str, str] | None]:
    """Match a health check that was answered with one of these statuses."""

    def find(evidence: Evidence) -> dict[str, str] | None:
        got = sorted(evidence.health_codes & set(codes))
        return {"codes": ", ".join(got)} if got else None

    return find


def _target(*reasons: str) -> Callable[[Evidence], dict[str, str] | None]:
    """Match a target that is unhealthy for one of these reasons (ELB API reference, TargetHealth)."""

    def find(evidence: Evidence) -> dict[str, str] | None:
        said = "\n".join([evidence.reasons, *evidence.said])
        if any(each.reason in reasons for each in evidence.targets) or any(reason in said for reason in reasons):
            return {}
        return None

    return find


def _listens_on_loopback(evidence: Evidence) -> dict[str, str] | None:
    if evidence.health_path is None:
        return None
    bound = next((word for word in evidence.command if re.search(r"\b(127\.0\.0\.1|localhost)(:\d+)?$", word)), None)
    return None if bound is None else {"address": bound}


def _nothing_listens(evidence: Evidence) -> dict[str, str] | None:
    """Match health checks that failed without an answer, of tasks that did not end by themselves."""
    refused = any(each.reason == "Target.FailedHealthChecks" for each in evidence.targets)
    stopped = any("failed ELB health checks" in (each.reason or "") for each in evidence.stopped)
    # Where the breaker opens first, ECS stops the task because of that, and has only told why it would have.
    told = _exited(evidence) is None and any(_UNANSWERED in line for line in evidence.said)
    return {} if refused and (stopped or told) and not evidence.health_codes else None


def _exited(evidence: Evidence) -> dict[str, str] | None:
    """Match exit codes of tasks that nobody stopped: what ECS stops ends with a code as well."""
    codes = sorted({each.exit_code for each in evidence.stopped if each.exit_code and each.code not in _STOPPED_BY})
    return {"code": ", ".join(map(str, codes))} if codes else None


def _raised(evidence: Evidence) -> dict[str, str] | None:
    """Find the exception that ended a program: the first line after the last frame of a traceback, not indented.

    The traceback's own beginning may be further back than the lines that are looked at.
    """
    frames = [index for index, line in enumerate(evidence.log) if _FRAME.match(line)]
    if _exited(evidence) is None or not frames:
        return None
    after = (line for line in evidence.log[frames[-1] + 1 :] if line.strip() and not line[0].isspace())
    what = next(after, None)
    return {"what": what[:_LONGEST]} if what else None


def _exited_silently(evidence: Evidence) -> dict[str, str] | None:
    return _exited(evidence) if _raised(evidence) is None else None


def _out_of_memory(evidence: Evidence) -> dict[str, str] | None:
    if "OutOfMemory" in evidence.reasons:
        return {"how": "used more memory than it may and was killed (OutOfMemoryError)"}
    if any(each.exit_code == 137 and each.code not in _STOPPED_BY for each in evidence.stopped):
        return {"how": "was killed (exit code 137), as happens when its memory does not suffice"}
    return None


def _disallowed_host(evidence: Evidence) -> dict[str, str] | None:
    logged = _in_log(r"Invalid HTTP_HOST header: '(?P<host>[^']*)'")(evidence)
    if logged is not None:
        return logged
    return {"host": "the task's own IP address"} if "400" in evidence.health_codes else None


def _smoke(evidence: Evidence) -> dict[str, str] | None:
    return {"check": evidence.check.name, "problem": evidence.check.problem} if evidence.check else None


RULES: tuple[Rule, ...] = (
    Rule(
        "smoke-check",
        _smoke,
        "{check}: {problem}",
        "no user has seen the new version; what it answered and logged is below. If the check is wrong, correct "
        "[smoke.{check}]",
    ),
    # What the load balancer's health check was answered.
    Rule(
        "disallowed-host",
        _disallowed_host,
        "{unit} answers the health check with 400: Django refuses its Host header ({host}), "
        "which is the task's address (DisallowedHost)",
        "let the health check pass without ALLOWED_HOSTS: answer {path} in a middleware placed before "
        "CommonMiddleware, or add the task's own address to ALLOWED_HOSTS at start-up; never use '*'",
    ),
    Rule(
        "redirected",
        _answered("301", "302", "307", "308"),
        "{unit} answers the health check of {path} with a redirect ({codes}): SECURE_SSL_REDIRECT sends the load "
        "balancer's plain HTTP to HTTPS, or APPEND_SLASH adds a slash",
        "exempt the path (SECURE_REDIRECT_EXEMPT = [r'^health/']) or write health_check exactly as urls.py has it, "
        "slash included",
    ),
    Rule(
        "no-such-path",
        _answered("404"),
        "{unit} has nothing at {path}: the health check gets 404",
        "correct services.{unit}.health_check, or add the path to urls.py",
    ),
    Rule(
        "login-required",
        _answered("401", "403"),
        "{unit} asks the health check of {path} to log in ({codes})",
        "exempt the path from authentication",
    ),
    Rule(
        "unapplied-migrations",
        _in_log(
            r"(?P<line>.*(?:unapplied migration|[Uu]ndefinedTable|relation \"[^\"]+\" does not exist|no such table).*)"
        ),
        "{unit} finds the database without its migrations: {line}",
        'add a gate task that migrates: [tasks.migrate] command = ["python", "manage.py", "migrate", "--noinput"], '
        "gate = true",
    ),
    Rule(
        "not-ready",
        _answered("503"),
        "{unit} answers {path} with 503: it says itself that it is not ready",
        "look at what the readiness endpoint checks: unapplied migrations, the database, the cache",
    ),
    Rule(
        "error-answer",
        _answered("500", "502"),
        "{unit} answers the health check of {path} with an error ({codes})",
        "the log below has the traceback; if not, log django.request to the console",
    ),
    Rule(
        "listens-on-loopback",
        _listens_on_loopback,
        "{unit} listens on {address}, which nobody outside its container reaches",
        "bind to 0.0.0.0 in services.{unit}.command",
    ),
    Rule(
        "no-answer",
        _target("Target.Timeout", "Request timed out"),
        "{unit} does not answer the health check of {path} in time",
        "does the endpoint wait for something (a database, a lock)? is the port right? "
        "a slow start needs a longer services.{unit}.grace_period",
    ),
    # Django's settings and imports.
    Rule(
        "improperly-configured",
        _in_log(r"ImproperlyConfigured: (?P<what>.+)"),
        "Django's settings are not complete: {what}",
        "set it in settings.py, or by [environment] or [secrets] in seatrial.toml",
    ),
    Rule(
        "missing-variable",
        _in_log(r"KeyError: '(?P<name>[A-Z][A-Z0-9_]*)'"),
        "the environment variable {name} is read and not set",
        "give it in [environment], or as [secrets.{name}] if it must stay secret",
    ),
    Rule(
        "missing-module",
        _in_log(r"ModuleNotFoundError: No module named '(?P<name>[^']+)'"),
        "the image has no Python module {name}",
        "add it to the requirements that the image installs, or correct the command or setting that names it",
    ),
    Rule(
        "missing-setting",
        _in_log(r"AttributeError: 'Settings' object has no attribute '(?P<name>\w+)'"),
        "the code reads settings.{name}, which the settings module does not define",
        "define it in the settings module of production",
    ),
    Rule(
        "static-manifest",
        _in_log(r"Missing staticfiles manifest entry for '(?P<name>[^']+)'"),
        "static file {name} is not in the manifest",
        "run collectstatic when the image is built, with the settings of production",
    ),
    # The database and the broker.
    Rule(
        "database-password",
        _in_log(r"password authentication failed for user \"(?P<user>[^\"]+)\""),
        "the database refuses the password of user {user}",
        "a managed password may have been rotated after the task started; check what PGPASSWORD is taken from",
    ),
    Rule(
        "database-missing",
        _in_log(r"database \"(?P<name>[^\"]+)\" does not exist"),
        "the database {name} does not exist",
        "create it by a gate task, or correct database.name",
    ),
    Rule(
        "database-unreachable",
        _in_log(
            r"(?:OperationalError|connection failed|could not connect).*?(?P<what>Connection refused|timeout expired|"
            r"could not translate host name|Name or service not known|No route to host|server closed the connection)"
        ),
        "the database cannot be reached: {what}",
        "check PGHOST and PGPORT, that the instance is available, and that its security group lets the tasks in",
    ),
    Rule(
        "broker-unreachable",
        _in_log(
            r"(?:Error \d+ connecting to (?P<where>[^\s]+)|Cannot connect to (?P<url>rediss?://[^\s]+)|"
            r"redis\.exceptions\.(?:Connection|Timeout)Error: (?P<said>.+))"
        ),
        "the cache or broker cannot be reached ({where}{url}{said})",
        "check REDIS_URL, that the cache is available, and that its security group lets the tasks in",
    ),
    Rule(
        "database-error",
        _in_log(r"django\.db\.utils\.(?P<what>(?:Operational|Programming|Integrity|Internal)Error: .+)"),
        "the database refused: {what}",
        "the log below has the statement's traceback",
    ),
    # The server and the container.
    Rule(
        "port-taken",
        _in_log(r"(?:Connection in use: \('[^']*', (?P<port>\d+)\)|Address already in use)"),
        "the port {port} is taken inside the task",
        "two processes of one task bind the same port",
    ),
    Rule(
        "worker-boot",
        _in_log(r"(?:Worker failed to boot|Worker \(pid:\d+\) exited with code (?P<code>\d+))"),
        "gunicorn's workers fail to boot",
        "the traceback in the log below is of the import of the WSGI module",
    ),
    Rule(
        "image-pull",
        _in_reason(r"CannotPull(?:Container|Image)\w*: ?(?P<what>[^\n]*)"),
        "the image cannot be pulled: {what}",
        "check that the digest is still in ECR (lifecycle rules?), and that the execution role and the network "
        "reach it",
    ),
    Rule(
        "secret",
        _in_reason(r"ResourceInitializationError: (?P<what>[^\n]*(?:secret|ssm|parameter)[^\n]*)"),
        "a secret cannot be read, so the task is not started: {what}",
        "check that the secret exists and has a value, and that the execution role may read it",
    ),
    Rule(
        "initialization",
        _in_reason(r"ResourceInitializationError: (?P<what>(?![^\n]*(?:secret|ssm|parameter))[^\n]*)"),
        "ECS cannot prepare the task: {what}",
        "mostly the network: a task without a public address needs NAT or VPC endpoints to reach ECR and "
        "CloudWatch Logs",
    ),
    Rule(
        "no-such-command",
        _in_reason(
            r"(?:CannotStartContainerError|executable file not found|no such file or directory)(?P<what>[^\n]*)"
        ),
        "the command cannot be started{what}",
        "check the first word of the command: is the program in the image and on its PATH?",
    ),
    Rule(
        "out-of-memory",
        _out_of_memory,
        "{unit} {how}",
        "raise its memory in seatrial.toml, or start fewer worker processes",
    ),
    Rule(
        "exception",
        _raised,
        "{unit} ended with {what}",
        "its traceback is in the last lines of the log below",
    ),
    Rule(
        "not-listening",
        _nothing_listens,
        "nothing listens yet at the port of {unit} when its grace period is over",
        "if it starts slowly, give it a longer services.{unit}.grace_period; else compare services.{unit}.port with "
        "the port that its command binds",
    ),
    Rule(
        "exited",
        _exited_silently,
        "{unit} ended by itself with exit code {code}",
        "the last lines of its log are below",
    ),
)
