"""The rules that the database holds whichever way a write comes."""

from django.db import migrations

from harmtracker.history.sql import codes, in_own_name, refuse, track


class Migration(migrations.Migration):
    dependencies = [
        ("sources", "0001_initial"),
        ("history", "0002_rules"),
        ("harmtracker", "0002_rules"),
    ]

    operations = [
        *(track(table) for table in (
            "sources_outlet", "sources_article", "sources_capture", "sources_custodyentry",
        )),
        in_own_name("sources_capture", "captured_by_id"),
        in_own_name("sources_custodyentry", "by_id"),
        codes("sources_outlet", kind="outlet_kind", reliability="reliability"),
        codes("sources_capture", kind="capture_kind"),
        *(
            refuse(
                table, "DELETE", "TRUNCATE", rule=f"{table}_never_deleted",
                message="Nothing evidential is deleted.",
            )
            for table in ("sources_outlet", "sources_article")
        ),
        refuse(
            "sources_capture", "UPDATE", "DELETE", "TRUNCATE", rule="sources_capture_never_altered",
            message="A stored copy is never altered: working and redacted copies are other copies.",
        ),
        refuse(
            "sources_custodyentry", "UPDATE", "DELETE", "TRUNCATE",
            rule="sources_custodyentry_only_grows",
            message="The record of custody only grows.",
        ),
    ]
