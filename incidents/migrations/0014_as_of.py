from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """References as they were at each ledger position; those of former ones come with the index,
    which is written anew."""

    dependencies = [("incidents", "0013_rows")]

    operations = [
        migrations.RenameField("publishedreference", "seq", "valid_from"),
        migrations.AlterField(
            "publishedreference", "valid_from", models.PositiveBigIntegerField()
        ),
        migrations.RunSQL(
            "ALTER TABLE incidents_publishedreference RENAME CONSTRAINT "
            "incidents_publishedreference_seq_check TO "
            "incidents_publishedreference_valid_from_check",
            "ALTER TABLE incidents_publishedreference RENAME CONSTRAINT "
            "incidents_publishedreference_valid_from_check TO "
            "incidents_publishedreference_seq_check",
        ),
        migrations.AddField(
            "publishedreference", "valid_until", models.PositiveBigIntegerField(null=True)
        ),
        migrations.RemoveConstraint("publishedreference", "incidents_publishedreference_once"),
        migrations.AddConstraint(
            "publishedreference",
            models.UniqueConstraint(
                name="incidents_publishedreference_one_current",
                fields=["kind", "key"],
                condition=Q(valid_until__isnull=True),
            ),
        ),
        migrations.AddConstraint(
            "publishedreference",
            models.UniqueConstraint(
                name="incidents_publishedreference_once", fields=["kind", "key", "valid_from"]
            ),
        ),
    ]
