"""Imports, their lines, and what columns stand for."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="of the file", max_length=120)),
                ("content", models.BinaryField(null=True)),
                ("sha256", models.CharField(max_length=64)),
                ("encoding", models.CharField(max_length=16)),
                ("delimiter", models.CharField(max_length=1)),
                ("header", models.JSONField()),
                ("sample", models.JSONField(help_text="the first rows, by which people see what the columns are")),
                ("columns", models.JSONField(help_text="what each column stands for")),
                ("constants", models.JSONField(default=dict, help_text="what is said of all rows")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "waits for its columns"),
                            ("checking", "is being checked"),
                            ("checked", "has been checked"),
                            ("committing", "is being imported"),
                            ("done", "has been imported"),
                            ("failed", "has failed"),
                        ],
                        default="uploaded",
                        max_length=12,
                    ),
                ),
                ("run", models.PositiveIntegerField(default=0)),
                ("rows", models.PositiveIntegerField()),
                ("checked", models.PositiveIntegerField(default=0, help_text="rows that were looked at")),
                ("error", models.TextField(blank=True)),
                ("created", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("touched", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="imports", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("-created", "pk"),
            },
        ),
        migrations.CreateModel(
            name="ImportLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("line", models.PositiveIntegerField(help_text="of the file, on which the row begins")),
                (
                    "verdict",
                    models.CharField(
                        choices=[("create", "Create"), ("update", "Update"), ("same", "Same"), ("error", "Error")],
                        max_length=6,
                    ),
                ),
                ("identity", models.CharField(max_length=400)),
                ("number", models.CharField(max_length=400)),
                ("box", models.BigIntegerField(help_text="the box that the row counts or fills", null=True)),
                ("digest", models.CharField(help_text="of all that the row says of the part", max_length=64)),
                (
                    "notes",
                    models.JSONField(
                        help_text="for each cell that changes something or is wrong: column, before, after, error"
                    ),
                ),
                ("plan", models.JSONField(help_text="what is to be written", null=True)),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="exchange.import"
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.CreateModel(
            name="ColumnChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signature", models.CharField(max_length=64)),
                ("columns", models.JSONField()),
                ("constants", models.JSONField(default=dict)),
                ("updated", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "signature"), name="columns_once_per_header")],
            },
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(fields=["user", "-created"], name="import_by_user"),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(fields=["of", "verdict", "position"], name="import_line_by_verdict"),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(fields=["of", "identity"], name="import_line_by_identity"),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(
                condition=models.Q(("number", ""), _negated=True), fields=["of", "number"], name="import_line_by_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="importline",
            constraint=models.UniqueConstraint(fields=("of", "position"), name="import_line_once"),
        ),
    ]
