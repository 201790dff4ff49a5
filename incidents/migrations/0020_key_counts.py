"""Counts of the index's keys, kept by the database with every row of the index that comes or goes."""

from django.db import migrations, models

# Keys of current rows, once more the empty one for each row, as (kind, key, n).
KEYS = """
    SELECT kind, key, count(*) * {sign} AS n FROM {rows} r
    CROSS JOIN LATERAL (
        SELECT 'traits' AS kind, unnest(array_append(r.traits, '')) AS key
        UNION ALL SELECT 'actor_keys', unnest(array_append(r.actor_keys, ''))
    ) k
    WHERE r.valid_until IS NULL GROUP BY kind, key
"""
CAME, WENT = KEYS.format(sign=1, rows="came"), KEYS.format(sign=-1, rows="went")
HELD = KEYS.format(sign=1, rows="incidents_publishedincident")

# In the order of the keys, so that two of them never wait for each other. Keys that nothing holds
# any more are taken out: they may have been redacted.
COUNT = """
        INSERT INTO incidents_publishedkeycount AS held (kind, key, n)
        SELECT kind, key, sum(n) FROM ({changes}) c
        GROUP BY kind, key HAVING sum(n) <> 0 ORDER BY kind, key
        ON CONFLICT (kind, key) DO UPDATE SET n = held.n + excluded.n;
"""
TAKE_OUT = f"""
        DELETE FROM incidents_publishedkeycount held USING ({WENT}) w
        WHERE held.kind = w.kind AND held.key = w.key AND held.n = 0;
"""
RULES = f"""
CREATE FUNCTION incidents_count_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {COUNT.format(changes=CAME)}
    ELSIF TG_OP = 'UPDATE' THEN
        {COUNT.format(changes=f"{CAME} UNION ALL {WENT}")}
        {TAKE_OUT}
    ELSE
        {COUNT.format(changes=WENT)}
        {TAKE_OUT}
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER incidents_publishedincident_counted_insert AFTER INSERT ON incidents_publishedincident
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_keys();
CREATE TRIGGER incidents_publishedincident_counted_update AFTER UPDATE ON incidents_publishedincident
    REFERENCING OLD TABLE AS went NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_keys();
CREATE TRIGGER incidents_publishedincident_counted_delete AFTER DELETE ON incidents_publishedincident
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_keys();

INSERT INTO incidents_publishedkeycount (kind, key, n) {HELD};
"""
WITHOUT = """
DROP TRIGGER incidents_publishedincident_counted_delete ON incidents_publishedincident;
DROP TRIGGER incidents_publishedincident_counted_update ON incidents_publishedincident;
DROP TRIGGER incidents_publishedincident_counted_insert ON incidents_publishedincident;
DROP FUNCTION incidents_count_keys();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0019_plain_summaries")]

    operations = [
        migrations.CreateModel(
            name="PublishedKeyCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(help_text="traits or actor_keys: the column.", max_length=10),
                ),
                (
                    "key",
                    models.CharField(help_text="Empty: how many rows there are.", max_length=240),
                ),
                ("n", models.BigIntegerField(help_text="Rows.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "key"), name="incidents_publishedkeycount_once"
                    )
                ]
            },
        ),
        migrations.RunSQL(RULES, WITHOUT),
    ]
