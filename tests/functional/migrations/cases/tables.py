"""Tables come, go, and change their names."""

# ruff: noqa: E501 - an operation of a migration is easier to read in one line

from __future__ import annotations

from tests.functional.migrations.cases.case import Case

CASES = (
    Case(
        "create_model",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))]),',
        ("new-table",),
    ),
    Case(
        "create_with_fk",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True)), '
        '("part", models.ForeignKey("LABEL.Part", models.CASCADE))]),',
        ("new-table-references",),
    ),
    Case(
        "create_and_index",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField())]),'
        'migrations.AddIndex("bin", models.Index(fields=["n"], name="create_and_index_n")),'
        'migrations.AddField("bin", "x", models.IntegerField(default=0)),',
        ("new-table", "new-table", "new-table"),
    ),
    Case(
        "create_proxy",
        'migrations.CreateModel("Px", [], options={"proxy": True}, bases=("LABEL.part",)),',
        ("no-change",),
    ),
    Case(
        "create_unmanaged",
        'migrations.CreateModel("View", [("id", models.BigAutoField(primary_key=True))], options={"managed": False}),',
        ("no-change",),
    ),
    Case(
        "create_swapped",
        'migrations.CreateModel("Gadget", [("id", models.BigAutoField(primary_key=True))], '
        'options={"swappable": "GADGET_MODEL"}),',
        ("no-change",),
    ),
    Case("delete_model", 'migrations.DeleteModel("Part"),', ("remove-table lost-data",), new=False),
    Case(
        "delete_proxy",
        'migrations.DeleteModel("Px"),',
        ("no-change",),
        first='migrations.CreateModel("Px", [], options={"proxy": True}, bases=("LABEL.part",)),',
    ),
    Case(
        "delete_unmanaged",
        'migrations.DeleteModel("View"),',
        ("no-change",),
        first='migrations.CreateModel("View", [("id", models.BigAutoField(primary_key=True))], options={"managed": False}),',
    ),
    Case(
        "create_then_delete",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))]), migrations.DeleteModel("Bin"),',
        ("new-table", "remove-unknown-table"),
    ),
    Case("rename_model", 'migrations.RenameModel("Part", "Piece"),', ("rename-table",), new=False),
    Case(
        "rename_kept_table",
        'migrations.RenameModel("Bin", "Tray"),',
        ("no-change",),
        first='migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))], options={"db_table": "kept_bin"}),',
    ),
    Case("alter_table", 'migrations.AlterModelTable("part", "rk_pieces"),', ("rename-table",)),
    Case("alter_table_same", 'migrations.AlterModelTable("part", "LABEL_part"),', ("no-change",)),
    Case("table_comment", 'migrations.AlterModelTableComment("part", "what it is"),', ("comment",)),
    Case(
        "options_only",
        'migrations.AlterModelOptions("part", {"verbose_name": "piece", "ordering": ["name"]}),',
        ("no-change",),
    ),
    Case(
        "managers_only",
        'migrations.AlterModelManagers("part", [("things", models.Manager())]),',
        ("no-change",),
        new=False,
    ),
)
