"""What may be a duplicate is told at less cost: names and titles are compared of those records alone
that they can decide about, and once. Which are found, why, and by which fingerprint stays the same."""

from importlib import import_module

from django.db import migrations

REDACTION = import_module("incidents.migrations.0005_redaction")
RULES = import_module("incidents.migrations._warnings_0023")

# Two texts are alike by the pairs of letters that both have; those of a record's own title are the
# same for all that it is compared with.
PAIRS = """
CREATE FUNCTION incidents_pairs(value text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array(SELECT DISTINCT substr(t, n, 2) FROM incidents_spelled(value) AS t, generate_series(1, length(t) - 1) AS n)
$$;

-- From 0 to 1 (Dice).
CREATE FUNCTION incidents_pairs_alike(one text[], other text[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(2.0 * (SELECT count(*) FROM unnest(one) AS p WHERE p = ANY (other))
        / nullif(cardinality(one) + cardinality(other), 0), 0)::float8
$$;
DROP FUNCTION incidents_likeness(text, text);

-- A plan of its own for each record takes longer than to find what is near it.
ALTER FUNCTION incidents_may_be_same(incidents_incident) SET plan_cache_mode = force_generic_plan;
"""
PAIRS_BACK = """
ALTER FUNCTION incidents_may_be_same(incidents_incident) RESET plan_cache_mode;
DROP FUNCTION incidents_pairs_alike(text[], text[]);
DROP FUNCTION incidents_pairs(text);
"""
OLD_LIKENESS = REDACTION.function("incidents_likeness", RULES.SPELLINGS)

OLD = REDACTION.function("incidents_duplicates", RULES.DUPLICATES)
NEW = REDACTION.changed(
    OLD,
    ("    named text[];\n", "    named text[];\n    pairs_here text[];\n    called_here text[] := '{}';\n"),
    (
        "    RETURN QUERY\n    WITH near AS (",
        "    pairs_here := incidents_pairs(i.title);\n"
        "    SELECT incidents_name_keys(VARIADIC p.name || p.other_names) INTO called_here\n"
        "        FROM incidents_place p WHERE p.id = i.place_id AND p.level IN ('settlement', 'ward', 'camp', 'site');\n"
        "    RETURN QUERY\n    WITH near AS MATERIALIZED (",
    ),
    (
        "), compared AS (\n        SELECT n.id, n.uuid,",
        "), weighed AS MATERIALIZED (\n        SELECT n.id, n.uuid,",
    ),
    (
        "                OR incidents_name_keys(VARIADIC p.name || p.other_names)\n"
        "                    && incidents_name_keys(VARIADIC q.name || q.other_names)\n"
        "                    AND q.level IN ('settlement', 'ward', 'camp', 'site') AS same_place,",
        "                OR called_here <> '{}'\n"
        "                    AND incidents_name_keys(VARIADIC p.name || p.other_names) && called_here AS same_place,",
    ),
    (
        "            named && incidents_name_keys(VARIADIC array(",
        "            named <> '{}' AND named && incidents_name_keys(VARIADIC array(",
    ),
    ("            incidents_likeness(i.title, n.title) >= 0.6 AS same_title,\n", ""),
    (" LEFT JOIN incidents_place q ON q.id = i.place_id\n", "\n"),
    (
        "    )\n    SELECT c.id, c.uuid,",
        "    ), scored AS MATERIALIZED (\n"
        "        SELECT w.*, CASE WHEN same_day THEN 2 ELSE 1 END + CASE WHEN same_place THEN 2 ELSE 1 END + tolls AS points\n"
        "        FROM weighed w\n"
        "    ), compared AS MATERIALIZED (\n"
        "        -- A title alike is one point.\n"
        "        SELECT s.*, incidents_pairs_alike(pairs_here, incidents_pairs(s.title)) >= 0.6 AS same_title FROM scored s\n"
        "        WHERE s.same_victim OR s.points >= 4\n"
        "    )\n    SELECT c.id, c.uuid,",
    ),
    (
        "    WHERE same_victim OR CASE WHEN same_day THEN 2 ELSE 1 END + CASE WHEN same_place THEN 2 ELSE 1 END + tolls\n"
        "        + CASE WHEN same_title THEN 1 ELSE 0 END >= 5",
        "    WHERE same_victim OR points + CASE WHEN same_title THEN 1 ELSE 0 END >= 5",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0025_days")]

    operations = [
        migrations.RunSQL(PAIRS + NEW, OLD_LIKENESS + PAIRS_BACK + OLD),
    ]
