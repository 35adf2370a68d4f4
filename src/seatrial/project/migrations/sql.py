"""What a RunSQL statement means for the version that serves, as far as it is one of the common ones. Pure.

This is no parser of SQL. It knows the statements by which people take Django's work into their own hands, and whatever
else it meets is unknown: better to ask a person than to guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.project.migrations.classify import Known

_NAME = r'(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?'
#: Strings, quoted names, dollar quotes and comments, inside which a semicolon or a comma does not count.
_OPAQUE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/", re.DOTALL)
_ALTER = re.compile(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?({_NAME}) (.*)", re.IGNORECASE | re.DOTALL)

#: Statements whose meaning does not depend on a table's columns: pattern (its group is the table) and rule.
_STATEMENTS: tuple[tuple[str, str], ...] = (
    (rf"CREATE UNIQUE INDEX .*? ON (?:ONLY )?({_NAME})", "add-unique"),
    (rf"CREATE INDEX CONCURRENTLY .*? ON (?:ONLY )?({_NAME})", "add-index-concurrently"),
    (rf"CREATE INDEX .*? ON (?:ONLY )?({_NAME})", "add-index"),
    (r"DROP INDEX ()", "drop-index"),
    (r"ALTER INDEX \S+ RENAME ()", "rename-index"),
    (r"CREATE EXTENSION ()", "extension"),
    (r"COMMENT ON ()", "comment"),
    (r"CREATE TABLE ()", "new-table"),
    (r"SET (?:LOCAL )?(?:lock_timeout|statement_timeout)()", "no-change"),
)
#: Actions of ALTER TABLE: pattern and rule. The first group, where there is one, is a column.
_ACTIONS: tuple[tuple[str, str], ...] = (
    (rf"RENAME COLUMN ({_NAME})", "rename-column"),
    (r"RENAME TO ", "rename-table"),
    (r"RENAME CONSTRAINT ", "no-change"),
    (r"VALIDATE CONSTRAINT ", "validate"),
    (r"DROP CONSTRAINT ", "drop-unique"),
    (r"ADD CONSTRAINT .* NOT VALID$", "add-check-not-valid"),
    (r"ADD CONSTRAINT \S+ CHECK", "add-check"),
    (r"ADD CONSTRAINT \S+ UNIQUE", "add-unique"),
    (r"ADD CONSTRAINT \S+ FOREIGN KEY", "add-reference"),
    (r"ADD CONSTRAINT \S+ EXCLUDE", "add-exclusion"),
    (rf"ALTER (?:COLUMN )?({_NAME}) SET NOT NULL", "set-not-null"),
    (rf"ALTER (?:COLUMN )?({_NAME}) DROP NOT NULL", "drop-not-null"),
    (rf"ALTER (?:COLUMN )?({_NAME}) SET DEFAULT", "set-db-default"),
    (rf"DROP (?:COLUMN )?(?:IF EXISTS )?({_NAME})", "remove-column"),
)
#: What is left of a rule where the serving version does not know the column. Its INSERT still fails at NOT NULL.
_OF_UNKNOWN_COLUMNS = {"remove-column": "remove-unknown-column", "rename-column": "no-change"}
_ADD_COLUMN = re.compile(
    rf"ADD (?!CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)(?:COLUMN )?(?:IF NOT EXISTS )?{_NAME} (.*)",
    re.IGNORECASE,
)
_CONSTANT = re.compile(
    r"DEFAULT (?:-?[\d.]+|'[^']*'(?:::\w+)?|true|false|now\(\)|current_timestamp)(?=\s|$)", re.IGNORECASE
)


def judged(texts: Iterable[str], known: Known) -> Iterator[tuple[str, str | None]]:
    """Yield rule and table of each statement; ``known`` as in :func:`seatrial.project.migrations.classify.classify`."""
    nothing = True
    for text in texts:
        for statement in statements(text):
            nothing = False
            yield from _statement(statement, known)
    if nothing:
        yield "no-change", None


def statements(text: str) -> list[str]:
    """Return the statements of a script, without comments and with single spaces."""
    return [each for each in (_spaced(part) for part in _split(text, ";")) if each]


def _statement(text: str, known: Known) -> Iterator[tuple[str, str | None]]:
    if match := _ALTER.fullmatch(text):
        table = _plain(match[1])
        for action in _split(match[2], ","):
            yield _action(_spaced(action), table, known), table
        return
    if match := re.match(rf"DROP TABLE (?:IF EXISTS )?({_NAME})(?: CASCADE| RESTRICT)?$", text, re.IGNORECASE):
        table = _plain(match[1])
        yield "remove-unknown-table" if known is not None and table not in known else "remove-table", table
        return
    for pattern, rule in _STATEMENTS:
        if match := re.match(pattern, text, re.IGNORECASE):
            table = _plain(match[1])
            unknown = known is not None and table and table not in known
            yield "new-table" if unknown else rule, table or None
            return
    yield "sql", None


def _action(text: str, table: str, known: Known) -> str:
    if known is not None and table not in known:
        return "new-table"
    if match := _ADD_COLUMN.match(text):
        return _added(match[1])
    for pattern, rule in _ACTIONS:
        if match := re.match(pattern, text, re.IGNORECASE):
            column = _plain(match[1]) if match.re.groups else None
            if known is not None and column is not None and column not in known[table]:
                return _OF_UNKNOWN_COLUMNS.get(rule, rule)
            return rule
    return "sql"


def _added(definition: str) -> str:
    """Return the rule for a column of that definition: its type, and what is behind it."""
    upper = definition.upper()
    if any(word in upper for word in ("UNIQUE", "PRIMARY KEY", "REFERENCES", "CHECK")):
        return "add-indexed" if "NOT NULL" not in upper and "PRIMARY KEY" not in upper else "add-not-null"
    if "GENERATED" in upper or "SERIAL" in upper:
        return "add-volatile"
    if "DEFAULT" in upper:
        return "add-db-default" if _CONSTANT.search(definition) else "add-volatile"
    return "add-not-null" if "NOT NULL" in upper else "add-nullable"


def _split(text: str, by: str) -> list[str]:
    """Split at ``by`` outside of strings, quoted names, comments and parentheses."""
    parts, depth, begin, position = [], 0, 0, 0
    while position < len(text):
        if opaque := _OPAQUE.match(text, position):
            position = opaque.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if text[position] == by and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    return [*parts, text[begin:]]


def _spaced(text: str) -> str:
    """Drop comments, and make every run of white space one space."""
    without = _OPAQUE.sub(lambda found: " " if found[0].startswith(("--", "/*")) else found[0], text)
    return " ".join(without.split())


def _plain(name: str) -> str:
    """Return a table's or column's name as PostgreSQL keeps it, without its schema."""
    last = re.findall(r'"[^"]+"|\w+', name)[-1:]
    return "" if not last else last[0][1:-1] if last[0].startswith('"') else last[0].lower()
