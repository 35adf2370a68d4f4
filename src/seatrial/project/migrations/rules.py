"""The rules: what an operation may do to the version that still serves, why, and the way out. Data, and nothing else.

``docs/migrations.md`` shows this very table, and a test proves each of its rows on PostgreSQL with the old version's
queries. What PostgreSQL locks and rewrites is from its manual: "Explicit Locking" (13.3), ``ALTER TABLE`` ("Notes")
and ``CREATE INDEX`` ("Building Indexes Concurrently").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``expand``: both versions live with it. ``contract``: the old version's queries fail, or the new one's.
#: ``rewriting``: PostgreSQL writes the table anew while nobody may read it. ``long-locking``: nobody may write (or
#: read) while every row is looked at. ``irreversible``: it cannot be taken back, or not what was lost. ``unknown``:
#: nobody can tell.
Kind = Literal["expand", "contract", "rewriting", "long-locking", "irreversible", "unknown"]

#: From the one that matters most.
KINDS: tuple[Kind, ...] = ("contract", "rewriting", "long-locking", "unknown", "irreversible", "expand")


@dataclass(frozen=True)
class Rule:
    """One rule. ``what`` is the operation, ``reason`` a sentence, ``way_out`` what to do instead (None: nothing)."""

    id: str
    kind: Kind
    what: str
    reason: str
    way_out: str | None = None


_TWO_RELEASES = "split it in two releases: this one stops using it, the next one removes it"
_CONCURRENTLY = (
    "build it with AddIndexConcurrently (django.contrib.postgres.operations) in a migration with atomic = False"
)
_NOT_VALID = (
    "add it with AddConstraintNotValid, and ValidateConstraint in a later migration "
    "(django.contrib.postgres.operations)"
)
_KEEP_FIRST = "release code that keeps the rule first; when no older version is alive, acknowledge the operation"

_RULES = (
    # what nothing happens to
    Rule("no-change", "expand", "an operation that changes nothing in the database", "the database is not changed"),
    Rule(
        "new-table",
        "expand",
        "CreateModel, and everything on a table that the serving version does not know",
        "the serving version does not know the table",
    ),
    Rule(
        "new-table-references",
        "expand",
        "CreateModel with a foreign key to a table that is there",
        "the foreign key takes a SHARE ROW EXCLUSIVE lock on the referenced table: it waits for its writers, and "
        "others "
        "wait for it, but only for a moment, because the new table is empty",
    ),
    Rule(
        "new-many-to-many",
        "expand",
        "AddField of a ManyToManyField",
        "a new table joins the two; the serving version does not know it",
    ),
    # columns come
    Rule(
        "add-nullable",
        "expand",
        "AddField that is nullable",
        "the serving version does not name the column, and its new rows get NULL; PostgreSQL only notes the new column",
    ),
    Rule(
        "add-db-default",
        "expand",
        "AddField with a constant db_default",
        "the serving version does not name the column, and its new rows get the default from the database",
    ),
    Rule(
        "add-not-null",
        "contract",
        "AddField that is NOT NULL without db_default",
        "the serving version's INSERT does not name the column, and fails: Django drops its default right after "
        "adding it",
        "give it a db_default (Django 5.0 or later), or null=True first and NOT NULL in a later release",
    ),
    Rule(
        "add-volatile",
        "rewriting",
        "AddField with a db_default that is not a constant, or an identity",
        "PostgreSQL computes the default for each row and writes the table anew, under an ACCESS EXCLUSIVE lock",
        "add the column nullable without a default, fill it in batches, then set the default",
    ),
    Rule(
        "add-generated",
        "rewriting",
        "AddField of a stored GeneratedField",
        "PostgreSQL computes the column for each row and writes the table anew, under an ACCESS EXCLUSIVE lock",
        "use db_persist=False (PostgreSQL 18), or a plain nullable column that is filled in batches",
    ),
    Rule(
        "add-virtual",
        "expand",
        "AddField of a GeneratedField with db_persist=False",
        "the serving version does not name the column, and PostgreSQL computes it only when it is read",
    ),
    Rule(
        "add-indexed",
        "long-locking",
        "AddField with db_index, unique, a foreign key constraint or a CHECK",
        "the index is built, or the constraint checked against every row, in the transaction that holds the table's "
        "ACCESS EXCLUSIVE lock",
        "add the plain column first (db_index=False, unique=False, db_constraint=False), then the index "
        "concurrently and "
        "the constraint NOT VALID, and validate it",
    ),
    Rule(
        "add-order",
        "contract",
        "AlterOrderWithRespectTo that adds the order",
        "the column _order is NOT NULL without a default in the database, so the serving version's INSERT fails",
        "add a plain integer field with db_default, and order by it",
    ),
    # columns and tables go or change their names
    Rule(
        "remove-column",
        "contract",
        "RemoveField",
        "the serving version names the column in every SELECT and INSERT, which fail",
        f"{_TWO_RELEASES} (until then take it out of Django's state alone, with SeparateDatabaseAndState, once it is "
        "nullable or has a db_default)",
    ),
    Rule(
        "remove-unknown-column",
        "expand",
        "RemoveField of what the serving version does not know",
        "the serving version does not know the column",
    ),
    Rule(
        "lost-data",
        "irreversible",
        "RemoveField, DeleteModel",
        "what was in it is lost: migrating backwards brings it back empty",
        "back it up before",
    ),
    Rule(
        "remove-many-to-many",
        "contract",
        "RemoveField of a ManyToManyField",
        "the serving version reads and deletes through the joining table, which is gone",
        _TWO_RELEASES,
    ),
    Rule(
        "state-only-removal",
        "contract",
        "RemoveField in state_operations of a column that is NOT NULL without a default in the database",
        "the column stays, and the new version's INSERT does not name it, and fails",
        "make it nullable, or give it a db_default, in a release before",
    ),
    Rule(
        "rename-column",
        "contract",
        "RenameField, and AlterField that changes db_column",
        "the serving version asks for the old name, which is gone",
        "keep the column's name with db_column, or add the new field, write both, and remove the old one in a "
        "later release",
    ),
    Rule(
        "remove-table",
        "contract",
        "DeleteModel",
        "the serving version's queries to the table fail",
        _TWO_RELEASES,
    ),
    Rule(
        "remove-unknown-table",
        "expand",
        "DeleteModel of what the serving version does not know",
        "the serving version does not know the table",
    ),
    Rule(
        "rename-table",
        "contract",
        "RenameModel and AlterModelTable that change a table's name",
        "the serving version asks for the old table, which is gone",
        "keep the table's name with Meta.db_table (and db_table of its many-to-many fields)",
    ),
    # columns change
    Rule(
        "set-not-null",
        "contract",
        "AlterField from null=True to null=False",
        "the serving version may write NULL, which fails; and PostgreSQL looks at every row under an ACCESS "
        "EXCLUSIVE lock",
        "release code that writes no NULL first; then fill the old rows, check the column with "
        "AddConstraintNotValid and "
        "ValidateConstraint, and set NOT NULL in a later release",
    ),
    Rule(
        "drop-not-null",
        "expand",
        "AlterField from null=False to null=True",
        "PostgreSQL only notes it; the serving version may read None where the new one wrote it",
    ),
    Rule(
        "widen",
        "expand",
        "AlterField to a longer CharField, to TextField, or to more digits of a DecimalField",
        "PostgreSQL only notes the new type",
    ),
    Rule(
        "rewrite-type",
        "rewriting",
        "AlterField to a wider type that is stored otherwise (integer to bigint, more decimal places)",
        "PostgreSQL writes the table and its indexes anew under an ACCESS EXCLUSIVE lock",
        "add a second column of the new type, write both, fill it in batches, and change over in a later release",
    ),
    Rule(
        "narrow",
        "contract",
        "AlterField to a shorter or narrower type",
        "the serving version may write what no longer fits, and fails; PostgreSQL reads every row, or writes the "
        "table anew",
        _KEEP_FIRST,
    ),
    Rule(
        "change-type",
        "contract",
        "AlterField to another type",
        "the serving version reads, writes and compares the old type; PostgreSQL writes the table anew under an ACCESS "
        "EXCLUSIVE lock",
        "add a second column of the new type, write both, fill it in batches, and remove the old one in a later "
        "release",
    ),
    Rule(
        "change-collation",
        "long-locking",
        "AlterField that changes db_collation",
        "PostgreSQL builds the column's indexes anew under an ACCESS EXCLUSIVE lock",
        "add a second column with the collation and change over in a later release",
    ),
    Rule(
        "add-unique",
        "contract",
        "AlterField to unique=True, AlterUniqueTogether that adds a set, AddConstraint of a UniqueConstraint",
        "the serving version may write what is there already, and fails; PostgreSQL builds the index while "
        "nobody may write",
        f"{_KEEP_FIRST}; a unique index can be built before with RunSQL: CREATE UNIQUE INDEX CONCURRENTLY",
    ),
    Rule(
        "drop-unique",
        "expand",
        "AlterField to unique=False, AlterUniqueTogether that removes a set, RemoveConstraint",
        "PostgreSQL only drops it, under a short ACCESS EXCLUSIVE lock; a version that writes ON CONFLICT on "
        "these columns "
        "still needs it",
    ),
    Rule(
        "add-check",
        "contract",
        "AddConstraint of a CheckConstraint, AlterField that adds or changes a CHECK",
        "the serving version may write what the constraint forbids, and fails; PostgreSQL looks at every row "
        "under an ACCESS "
        "EXCLUSIVE lock",
        f"{_KEEP_FIRST}. {_NOT_VALID[0].upper()}{_NOT_VALID[1:]}, so that nobody waits",
    ),
    Rule(
        "add-check-not-valid",
        "contract",
        "AddConstraintNotValid",
        "old rows are not looked at, but new ones are: the serving version may write what the constraint "
        "forbids, and fails",
        _KEEP_FIRST,
    ),
    Rule(
        "add-exclusion",
        "contract",
        "AddConstraint of an ExclusionConstraint",
        "the serving version may write what the constraint forbids, and fails; PostgreSQL builds its index under "
        "an ACCESS "
        "EXCLUSIVE lock, and cannot do so concurrently",
        _KEEP_FIRST,
    ),
    Rule(
        "validate",
        "expand",
        "ValidateConstraint",
        "PostgreSQL looks at every row, but others read and write meanwhile (SHARE UPDATE EXCLUSIVE)",
    ),
    Rule(
        "change-key",
        "contract",
        "AlterField that makes or unmakes a primary key",
        "the serving version finds rows by the old key; PostgreSQL builds the new one under an ACCESS EXCLUSIVE lock",
        "make a new model beside the old one, copy, and change over in several releases",
    ),
    Rule(
        "add-reference",
        "contract",
        "AlterField to a foreign key, or to one that refers to another table",
        "the serving version writes identifiers that the new constraint does not know, and fails; PostgreSQL "
        "checks every "
        "row while nobody may write to either table",
        "add a second foreign key (nullable), write both, and remove the old one in a later release",
    ),
    Rule(
        "check-rows",
        "long-locking",
        "AlterField that makes a foreign key's constraint anew (on_delete in the database), or adds a constraint "
        "to a column "
        "that the serving version does not know",
        "PostgreSQL checks every row while nobody may write",
        "add it with RunSQL: ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT",
    ),
    Rule(
        "drop-reference",
        "expand",
        "AlterField from a foreign key to a plain column, or db_constraint=False",
        "PostgreSQL only drops the constraint, under a short lock",
    ),
    Rule(
        "set-db-default",
        "expand",
        "AlterField that adds or changes db_default",
        "PostgreSQL only notes the default, for rows to come",
    ),
    Rule(
        "drop-db-default",
        "contract",
        "AlterField that removes db_default from a NOT NULL column",
        "the serving version writes DEFAULT, which is NULL from now on, and fails",
        "let the new version write the value itself first; remove the default in a later release",
    ),
    Rule(
        "add-index",
        "long-locking",
        "AddIndex, AlterField to db_index=True, AlterIndexTogether that adds a set",
        "nobody may write to the table while the index is built (SHARE)",
        _CONCURRENTLY,
    ),
    Rule(
        "add-index-concurrently",
        "expand",
        "AddIndexConcurrently",
        "the index is built while others read and write",
    ),
    Rule(
        "not-atomic",
        "unknown",
        "AddIndexConcurrently or RemoveIndexConcurrently in a migration that is atomic",
        "Django refuses it when it is applied",
        "set atomic = False in the migration",
    ),
    Rule(
        "drop-index",
        "expand",
        "RemoveIndex, AlterField to db_index=False, AlterIndexTogether that removes a set, RemoveIndexConcurrently",
        "the index is dropped, under a short lock; queries that need it get slow",
    ),
    Rule(
        "rename-index",
        "expand",
        "RenameIndex",
        "no query names an index",
    ),
    Rule("comment", "expand", "AlterModelTableComment, AlterField that changes db_comment", "only a comment changes"),
    Rule(
        "extension",
        "expand",
        "CreateExtension and its like",
        "the database learns something; the role that migrates must be allowed to install it",
    ),
    Rule("collation", "expand", "CreateCollation", "the database learns something"),
    Rule(
        "remove-collation",
        "contract",
        "RemoveCollation",
        "queries of the serving version that name the collation fail",
        _TWO_RELEASES,
    ),
    # code
    Rule(
        "python",
        "unknown",
        "RunPython",
        "it runs Python that nobody can judge from outside; in one transaction its locks last until the "
        "migration's end",
        "see that the serving version can live with what it writes, that it works in batches, and acknowledge it",
    ),
    Rule(
        "sql",
        "unknown",
        "RunSQL with a statement that is not known here",
        "it runs SQL that is not known here",
        "see that the serving version can live with it, and acknowledge it",
    ),
    Rule(
        "own-operation",
        "unknown",
        "an operation of the project's own",
        "it does what nobody can judge from outside",
        "see that the serving version can live with it, and acknowledge it",
    ),
    Rule(
        "no-way-back",
        "irreversible",
        "an operation that is not reversible (RunPython or RunSQL without reverse code)",
        "it cannot be migrated backwards",
        "give it a reverse (RunPython.noop or RunSQL.noop where nothing is to be done)",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}


def table() -> str:
    """Return the rules as the Markdown table of the documentation."""
    lines = ["| operation | class | why | way out |", "| --- | --- | --- | --- |"]
    lines += [f"| {each.what} | {each.kind} | {each.reason} | {each.way_out or ''} |" for each in _RULES]
    return "\n".join(lines) + "\n"
