"""An import that was never finished can be returned, so that a lost file stops no other one."""

from importlib import import_module

from django.db import migrations

REDACTION = import_module("incidents.migrations.0005_redaction")
IMPORT = import_module("incidents.migrations.0011_import")

GUARD = REDACTION.function("incidents_batch_guard", IMPORT.BATCH)
GUARD_THAT_RETURNS = REDACTION.changed(
    GUARD,
    (
        "('importing importing', 'importing submitted', 'returned submitted',",
        "('importing importing', 'importing submitted', 'importing returned', 'returned submitted',",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0017_releases")]

    operations = [migrations.RunSQL(GUARD_THAT_RETURNS, GUARD)]
