"""What undoing a merge gives back to a draft is not refused for an id that another record carries."""

from importlib import import_module

from django.db import migrations

COMPLETE = import_module("incidents.migrations.0008_casework_rules")
REDACTION = import_module("incidents.migrations.0005_redaction")
function, changed = REDACTION.function, REDACTION.changed

EARLIER = function("incidents_externalid_guard", COMPLETE.EXTERNAL_IDS)

# It carried the id before the merge, and is compared when it is published, as every draft is.
LATER = changed(
    EARLIER,
    (
        "    IF FOUND THEN",
        """    IF FOUND AND NOT EXISTS (
        SELECT FROM incidents_merge m
        WHERE m.source_id = NEW.incident_id AND m.undone_in = pg_current_xact_id()::text::bigint) THEN""",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0008_casework_rules")]

    operations = [migrations.RunSQL(LATER, EARLIER)]
