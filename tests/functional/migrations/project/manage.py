"""Django's commands. ``migrate`` keeps a transaction open as long as the test wishes, as a large table would.

At the end of each atomic migration, with all its locks held, it asks for the advisory lock of the case. Nobody holds
that one unless the test wants to look.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

#: The advisory locks of the tests: this number, and that of the case.
HELD = 4711


def hold() -> None:
    from django.db import connections  # type: ignore[import-not-found]
    from django.db.migrations import Migration  # type: ignore[import-not-found]

    cases = json.loads(Path(__file__).with_name("cases.json").read_text())
    connection = connections["default"]

    class Editor(connection.SchemaEditorClass):  # type: ignore[misc, name-defined]
        case = ""
        deferred_sql: list[Any]

        def __exit__(self, kind: object, value: object, trace: object) -> None:
            if kind is None and self.case and self.atomic_migration:
                for statement in self.deferred_sql:  # what Django does last
                    self.execute(statement, None)
                self.deferred_sql.clear()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [HELD, cases[self.case]["number"]])
            super().__exit__(kind, value, trace)

    apply = Migration.apply

    def noted(self: Any, state: Any, editor: Any, *rest: Any) -> Any:
        editor.case = self.app_label
        return apply(self, state, editor, *rest)

    Migration.apply = noted
    connection.SchemaEditorClass = Editor


def main() -> None:
    import django  # type: ignore[import-not-found]
    from django.core.management import execute_from_command_line  # type: ignore[import-not-found]

    django.setup()
    if sys.argv[1] == "seed":
        from pages import CASES, Code  # type: ignore[import-not-found]

        for case in CASES:
            Code(case).seed()
        return
    hold()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    os.environ["PGAPPNAME"] = "migrate"
    main()
