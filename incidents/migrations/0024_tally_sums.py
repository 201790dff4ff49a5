"""Sums over the tally's current rows, kept by the database with every row that comes or goes."""

# ruff: noqa: S608  (of our own words)

from django.db import migrations, models

CELL = ("left_out", "month_from", "month_until", "country", "adm1", "outcome")
KEYS = ", ".join(CELL)
BUCKETS, BOUNDS = ("civilian", "uncertain"), ("min", "best", "max")
# Column -> what is added up of it, of a row of the tally.
ADDED = {
    "rows": "1",
    "incidents": "first::integer",
    "from_parts": "from_parts::integer",
}
for bucket in BUCKETS:
    ADDED[f"{bucket}_n"] = f"{bucket}_given::integer"
    for bound in BOUNDS:
        ADDED[f"{bucket}_count_{bound}"] = f"({bucket}_{bound} IS NOT NULL)::integer"
        ADDED[f"{bucket}_sum_{bound}"] = f"coalesce({bucket}_{bound}, 0)"
COLUMNS = ", ".join(ADDED)
TOTALS = ", ".join(f"sum({name}) AS {name}" for name in ADDED)


def of(rows: str, sign: str = "") -> str:
    """Current rows of a table as cells with their sums."""
    sums = ", ".join(f"{sign}sum({value}) AS {name}" for name, value in ADDED.items())
    return f"SELECT {KEYS}, {sums} FROM {rows} WHERE valid_until IS NULL GROUP BY {KEYS}"


CAME, WENT, HELD = of("came"), of("went", "-"), of("incidents_publishedtally")

# In the order of the cells, so that two of them never wait for each other. Cells that nothing is in
# any more are taken out: a rebuild gives the same rows.
CHANGE = f"""
        WITH done AS (
            INSERT INTO incidents_publishedtallysum AS held ({KEYS}, {COLUMNS})
            SELECT {KEYS}, {TOTALS} FROM ({{changes}}) c GROUP BY {KEYS} ORDER BY {KEYS}
            ON CONFLICT ({KEYS}) DO UPDATE SET
            {", ".join(f"{name} = held.{name} + excluded.{name}" for name in ADDED)}
            RETURNING id, rows
        ) SELECT array_agg(id) FILTER (WHERE rows = 0) INTO empty FROM done;
"""
TRIGGERS = """
CREATE TRIGGER incidents_publishedtally_summed_insert AFTER INSERT ON incidents_publishedtally
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION incidents_sum_tallies();
CREATE TRIGGER incidents_publishedtally_summed_update AFTER UPDATE ON incidents_publishedtally
    REFERENCING OLD TABLE AS went NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_sum_tallies();
CREATE TRIGGER incidents_publishedtally_summed_delete AFTER DELETE ON incidents_publishedtally
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION incidents_sum_tallies();
"""
RULES = f"""
CREATE FUNCTION incidents_sum_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE empty bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        {CHANGE.format(changes=CAME)}
    ELSIF TG_OP = 'UPDATE' THEN
        {CHANGE.format(changes=f"{CAME} UNION ALL {WENT}")}
    ELSE
        {CHANGE.format(changes=WENT)}
    END IF;
    DELETE FROM incidents_publishedtallysum WHERE id = ANY(empty);
    RETURN NULL;
END $$;

{TRIGGERS}
"""
FILL = f"INSERT INTO incidents_publishedtallysum ({KEYS}, {COLUMNS}) {HELD};"
WITHOUT = """
DROP TRIGGER incidents_publishedtally_summed_delete ON incidents_publishedtally;
DROP TRIGGER incidents_publishedtally_summed_update ON incidents_publishedtally;
DROP TRIGGER incidents_publishedtally_summed_insert ON incidents_publishedtally;
DROP FUNCTION incidents_sum_tallies();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0023_warnings"),
    ]

    operations = [
        migrations.CreateModel(
            name="PublishedTallySum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("left_out", models.CharField(max_length=20, null=True)),
                ("month_from", models.IntegerField(null=True)),
                ("month_until", models.IntegerField(null=True)),
                ("country", models.CharField(max_length=3, null=True)),
                ("adm1", models.CharField(max_length=40, null=True)),
                ("outcome", models.CharField(max_length=40, null=True)),
                ("rows", models.IntegerField()),
                (
                    "incidents",
                    models.IntegerField(help_text="Rows that are the first of their version."),
                ),
                (
                    "from_parts",
                    models.IntegerField(help_text="Rows with a lower bound of parts alone."),
                ),
                ("civilian_n", models.IntegerField()),
                ("civilian_count_min", models.IntegerField()),
                ("civilian_sum_min", models.BigIntegerField()),
                ("civilian_count_best", models.IntegerField()),
                ("civilian_sum_best", models.BigIntegerField()),
                ("civilian_count_max", models.IntegerField()),
                ("civilian_sum_max", models.BigIntegerField()),
                ("uncertain_n", models.IntegerField()),
                ("uncertain_count_min", models.IntegerField()),
                ("uncertain_sum_min", models.BigIntegerField()),
                ("uncertain_count_best", models.IntegerField()),
                ("uncertain_sum_best", models.BigIntegerField()),
                ("uncertain_count_max", models.IntegerField()),
                ("uncertain_sum_max", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "left_out",
                            "month_from",
                            "month_until",
                            "country",
                            "adm1",
                            "outcome",
                        ),
                        name="incidents_publishedtallysum_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(RULES + FILL, WITHOUT),
        migrations.AddIndex(
            model_name="publishedtally",
            index=models.Index(
                condition=models.Q(("valid_until__isnull", False)),
                fields=["valid_until"],
                name="tally_by_end",
            ),
        ),
    ]
