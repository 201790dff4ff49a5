from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("harmtracker", "0003_idempotent_request"),
    ]

    operations = [
        migrations.CreateModel(
            name="RequestCount",
            fields=[
                ("client", models.UUIDField(help_text="Digest of the client, with a key that is another each day: no address.", primary_key=True, serialize=False)),
                ("ends_at", models.DateTimeField(help_text="When the count begins anew.")),
                ("used", models.IntegerField(help_text="Requests since the count began.")),
            ],
            options={
                "indexes": [models.Index(fields=["ends_at"], name="requestcount_by_end")],
            },
        ),
        # No write waits for the disk. Room on each page, so that a count is raised in its place
        # and no index is touched.
        migrations.RunSQL(
            "ALTER TABLE harmtracker_requestcount SET UNLOGGED;"
            "ALTER TABLE harmtracker_requestcount SET (fillfactor = 50)",
            migrations.RunSQL.noop,
        ),
    ]
