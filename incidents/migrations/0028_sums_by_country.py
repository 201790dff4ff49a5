"""Sums by province are kept apart from those that are not: a ninth of the rows for whoever asks for
none."""

# ruff: noqa: S608  (of our own words)

from importlib import import_module

from django.db import migrations, models

BEFORE = import_module("incidents.migrations.0024_tally_sums")
# The same columns of both, added up in the same way.
ADDED, COLUMNS, TOTALS = BEFORE.ADDED, BEFORE.COLUMNS, BEFORE.TOTALS
TIME = "month_from, month_until, country"
# Table -> its cells, and which rows of the tally it has.
KEPT = {
    "incidents_publishedtallysum": (f"left_out, {TIME}, outcome", "true"),
    "incidents_publishedadm1sum": (f"{TIME}, adm1, outcome", "left_out IS NULL"),
}


def of(table: str, rows: str, sign: str = "") -> str:
    """Current rows of the tally, or of a table like it, as cells with their sums."""
    cell, condition = KEPT[table]
    sums = ", ".join(f"{sign}sum({value}) AS {name}" for name, value in ADDED.items())
    return (
        f"SELECT {cell}, {sums} FROM {rows} WHERE valid_until IS NULL AND {condition} "
        f"GROUP BY {cell}"
    )


def held(table: str) -> str:
    """What a table is to hold."""
    return of(table, "incidents_publishedtally")


def change(*changes: tuple[str, str]) -> str:
    """Add rows to each table, or take them off: (rows, sign).

    In the order of the cells, so that two of them never wait for each other. Cells that nothing is
    in any more are taken out: a rebuild gives the same rows.
    """
    statements = []
    for table, (cell, _condition) in KEPT.items():
        changed = " UNION ALL ".join(of(table, rows, sign) for rows, sign in changes)
        statements.append(f"""
        WITH done AS (
            INSERT INTO {table} AS held ({cell}, {COLUMNS})
            SELECT {cell}, {TOTALS} FROM ({changed}) c GROUP BY {cell} ORDER BY {cell}
            ON CONFLICT ({cell}) DO UPDATE SET
            {", ".join(f"{name} = held.{name} + excluded.{name}" for name in ADDED)}
            RETURNING id, rows
        ) SELECT array_agg(id) FILTER (WHERE rows = 0) INTO empty FROM done;
        DELETE FROM {table} WHERE id = ANY(empty);""")
    return "".join(statements)


RULES = f"""
CREATE FUNCTION incidents_sum_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE empty bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        {change(("came", ""))}
    ELSIF TG_OP = 'UPDATE' THEN
        {change(("came", ""), ("went", "-"))}
    ELSE
        {change(("went", "-"))}
    END IF;
    RETURN NULL;
END $$;
{BEFORE.TRIGGERS}
"""
EMPTY = f"TRUNCATE {', '.join(KEPT)};"
FILL = "".join(
    f"INSERT INTO {table} ({cell}, {COLUMNS}) {held(table)};"
    for table, (cell, _condition) in KEPT.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0027_words"),
    ]

    operations = [
        migrations.RunSQL(
            BEFORE.WITHOUT + "TRUNCATE incidents_publishedtallysum;", BEFORE.RULES + BEFORE.FILL
        ),
        migrations.CreateModel(
            name="PublishedAdm1Sum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                        fields=("month_from", "month_until", "country", "adm1", "outcome"),
                        name="incidents_publishedadm1sum_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="publishedtallysum",
            name="incidents_publishedtallysum_once",
        ),
        migrations.RemoveField(
            model_name="publishedtallysum",
            name="adm1",
        ),
        migrations.AddConstraint(
            model_name="publishedtallysum",
            constraint=models.UniqueConstraint(
                fields=("left_out", "month_from", "month_until", "country", "outcome"),
                name="incidents_publishedtallysum_once",
                nulls_distinct=False,
            ),
        ),
        migrations.RunSQL(RULES + FILL, BEFORE.WITHOUT + EMPTY),
    ]
