import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    """What each ledger entry did. `rebuild_published`, which `migrate` calls, fills it."""

    dependencies = [("incidents", "0015_totals")]

    operations = [
        migrations.CreateModel(
            name="PublishedChange",
            fields=[
                (
                    "seq",
                    models.PositiveBigIntegerField(
                        help_text="Position of the ledger entry.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("corrected", "Corrected"),
                            ("merged", "Merged"),
                            ("retracted", "Retracted"),
                            ("redacted", "Redacted"),
                        ],
                        max_length=20,
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="Of the version that came of it, or was cut."
                    ),
                ),
                ("change", models.TextField(help_text="Canonical JSON.")),
                (
                    "moved",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        default=list,
                        help_text="Names of the figures and values that moved: "
                        "killed_civilian_best, grading.",
                        size=None,
                    ),
                ),
                (
                    "renewed_at",
                    models.DateTimeField(
                        help_text="When last a redaction touched a version that it is made from.",
                        null=True,
                    ),
                ),
            ],
            options={"ordering": ["seq"]},
        ),
        migrations.AddIndex(
            model_name="publishedincident",
            index=models.Index(
                condition=models.Q(("valid_until__isnull", False)),
                fields=["valid_until"],
                name="published_by_end",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedchange",
            index=models.Index(fields=["code", "seq"], name="change_by_code"),
        ),
        migrations.AddIndex(
            model_name="publishedchange",
            index=models.Index(fields=["kind", "seq"], name="change_by_kind"),
        ),
        migrations.AddIndex(
            model_name="publishedchange",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["moved"], gin_pending_list_limit=256, name="change_by_moved"
            ),
        ),
    ]
