"""How many warnings are open follows the records that may be duplicates, and not the record alone."""

from importlib import import_module

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

BEFORE = import_module("incidents.migrations.0023_warnings")
CHANGED = import_module("incidents.migrations.0005_redaction").changed

OLD_COUNT = BEFORE.COUNT.split(";\n", 1)[1]
COUNT = """
CREATE FUNCTION incidents_waiting_warnings(incident bigint, OUT all_open bigint, OUT told bigint, OUT alike bigint[])
LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE w.is_open),
        count(*) FILTER (WHERE w.is_open AND (o.id IS NULL OR o.code IS NOT NULL OR o.author_id = i.author_id AND i.code IS NULL)),
        coalesce(array_agg(DISTINCT o.id) FILTER (WHERE o.id IS NOT NULL), '{}')
    FROM incidents_incident i CROSS JOIN LATERAL incidents_warnings(i.id) w
    LEFT JOIN incidents_incident o ON o.id = w.about
    WHERE i.id = $1
$$;
"""
DROP_COUNT = "DROP FUNCTION incidents_waiting_warnings(bigint);"

# Those that it is warned of, and those that were warned of it. Twenty are enough: a record that is
# like more than that stays one with open warnings whatever one of them becomes.
NEIGHBOURS = """
    INSERT INTO incidents_waitingrecount (record)
    SELECT DISTINCT near.incident_id
    FROM unnest(ids) AS one (id) LEFT JOIN incidents_waiting mine ON mine.incident_id = one.id
    CROSS JOIN LATERAL (
        SELECT w.incident_id FROM incidents_waiting w
        WHERE w.state = 'submitted' AND w.incident_id <> ALL (ids)
            AND (w.incident_id = ANY (mine.alike) OR w.alike @> ARRAY[one.id])
        LIMIT 20) near;
END $$;"""
RECKONED = CHANGED(
    BEFORE.RECKONED,
    ("warnings_told, is_imported, words)\n    SELECT", "warnings_told, alike, is_imported, words)\n    SELECT"),
    ("coalesce(n.told, 0),", "coalesce(n.told, 0), coalesce(n.alike, '{}'),"),
    ("warnings_told, is_imported, words)\n        =", "warnings_told, alike, is_imported, words)\n        ="),
    ("excluded.warnings_told, excluded.is_imported", "excluded.warnings_told, excluded.alike, excluded.is_imported"),
    ("\nEND $$;", NEIGHBOURS),
)

# At the end of an act, which is mostly that of its transaction: it waits for nothing any more then,
# and gives back at once what it holds. What is to be counted leaves the list before it is counted: what comes to it meanwhile stays.
RECOUNT = """
CREATE FUNCTION incidents_recount_waiting() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    free bigint[] := array(
        SELECT w.incident_id FROM incidents_waiting w
        WHERE w.incident_id IN (SELECT r.record FROM incidents_waitingrecount r)
        ORDER BY w.incident_id FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM incidents_waitingrecount gone USING (
        SELECT r.id FROM incidents_waitingrecount r WHERE r.record = ANY (free)
            OR NOT EXISTS (SELECT FROM incidents_waiting w WHERE w.incident_id = r.record)
        FOR UPDATE SKIP LOCKED) found
    WHERE gone.id = found.id;
    UPDATE incidents_waiting w SET (open_warnings, warnings_told, alike) = (n.all_open, n.told, n.alike)
    FROM unnest(free) AS f (id) CROSS JOIN LATERAL incidents_waiting_warnings(f.id) n
    WHERE w.incident_id = f.id AND w.state = 'submitted'
        AND (w.open_warnings, w.warnings_told, w.alike) IS DISTINCT FROM (n.all_open, n.told, n.alike);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_waitingrecount_counted AFTER INSERT ON incidents_waitingrecount
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION incidents_recount_waiting();
"""
RECOUNT_BACK = """
DROP TRIGGER incidents_waitingrecount_counted ON incidents_waitingrecount;
DROP FUNCTION incidents_recount_waiting();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0028_sums_by_country")]

    operations = [
        migrations.AddField(
            model_name="waiting",
            name="alike",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=[],
                help_text="Ids of the records that it is warned to be a possible duplicate of.",
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="waiting",
            index=django.contrib.postgres.indexes.GinIndex(fields=["alike"], name="waiting_alike"),
        ),
        migrations.AlterField(
            model_name="waiting",
            name="open_warnings",
            field=models.IntegerField(
                help_text="As of the last step or edit of it, or of one in the queue that it may be "
                "a duplicate of; 0 of a returned one."
            ),
        ),
        migrations.CreateModel(
            name="WaitingRecount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record", models.BigIntegerField(help_text="Its id.")),
            ],
        ),
        migrations.RunSQL(RECOUNT, RECOUNT_BACK),
        migrations.RunSQL(DROP_COUNT + COUNT + RECKONED, DROP_COUNT + OLD_COUNT + BEFORE.RECKONED),
        migrations.RunSQL(BEFORE.RECKON, migrations.RunSQL.noop),
    ]
