"""What waits, in rows and counts that the queue is answered from; and the public backlog."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

# Open warnings of one record: the one place that says which function counts them.
OPEN_WARNINGS = """
CREATE FUNCTION incidents_waiting_warnings(incident bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM incidents_warnings(incident)
$$;
"""

FIGURES = r"""
CREATE FUNCTION incidents_folded(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT normalize(lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')), NFC)
$$;

-- The state or region that a place lies in; where there is none, the widest place it lies in.
CREATE FUNCTION incidents_adm1(place bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up (id, parent_id, level, steps) AS (
        SELECT id, parent_id, level, 0 FROM incidents_place WHERE id = place
        UNION ALL
        SELECT p.id, p.parent_id, p.level, up.steps + 1
        FROM up JOIN incidents_place p ON p.id = up.parent_id WHERE up.level <> 'adm1' AND up.steps < 20)
    SELECT id FROM up ORDER BY level = 'adm1' DESC, steps DESC LIMIT 1
$$;

-- Of each status the highest figures of our assessment, which are those of the whole where there is
-- one; over all statuses their sum, or the figures of everybody where those are higher.
CREATE FUNCTION incidents_killed(incident bigint, OUT low bigint, OUT high bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(greatest(max(s.low) FILTER (WHERE status = 'all'), sum(s.low) FILTER (WHERE status <> 'all')), -1),
           coalesce(greatest(max(s.high) FILTER (WHERE status = 'all'), sum(s.high) FILTER (WHERE status <> 'all')), -1)
    FROM (SELECT status, max(min) AS low, max(greatest(min, best, max)) AS high
          FROM incidents_casualtycount c
          WHERE c.incident_id = $1 AND c.claim_id IS NULL AND c.outcome = 'killed' GROUP BY status) s
$$;
"""
FIGURES_BACK = """
DROP FUNCTION incidents_waiting_warnings(bigint);
DROP FUNCTION incidents_killed(bigint);
DROP FUNCTION incidents_adm1(bigint);
DROP FUNCTION incidents_folded(text);
"""

# SECURITY DEFINER: the application's role reads these rows and writes none.
# A draft waits for its author where the last step was that it was returned.
WAITING = """
CREATE FUNCTION incidents_reckon_waiting(ids bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM incidents_waiting w WHERE w.incident_id = ANY (ids) AND NOT EXISTS (
        SELECT FROM incidents_incident i WHERE i.id = w.incident_id
        AND (i.state IN ('submitted', 'verified') OR i.state = 'draft' AND 'return' = (
            SELECT verb FROM incidents_review r WHERE r.incident_id = i.id ORDER BY r.id DESC LIMIT 1)));
    INSERT INTO incidents_waiting AS held (
        incident_id, state, author_id, since, day, killed_low, killed_high, grading, place_id, adm1_id,
        taken_by_id, open_warnings, is_imported, words)
    SELECT i.id, i.state, i.author_id, last.at, (last.at AT TIME ZONE 'UTC')::date, k.low, k.high,
        i.grading, i.place_id, incidents_adm1(i.place_id), a.person_id,
        CASE WHEN i.state = 'draft' THEN 0 ELSE incidents_waiting_warnings(i.id) END,
        EXISTS (SELECT FROM incidents_importedrow r WHERE r.incident_id = i.id AND r.outcome <> 'unchanged'),
        incidents_folded(concat_ws(' ', i.code, i.title))
    FROM incidents_incident i
    CROSS JOIN LATERAL (
        SELECT at FROM incidents_review r WHERE r.incident_id = i.id
        AND (i.state = 'draft' OR r.verb = 'submit') ORDER BY r.id DESC LIMIT 1) last
    CROSS JOIN LATERAL incidents_killed(i.id) k
    LEFT JOIN incidents_assignment a ON a.incident_id = i.id
    WHERE i.id = ANY (ids) AND (i.state IN ('submitted', 'verified') OR i.state = 'draft' AND 'return' = (
        SELECT verb FROM incidents_review r WHERE r.incident_id = i.id ORDER BY r.id DESC LIMIT 1))
    ORDER BY i.id
    ON CONFLICT (incident_id) DO UPDATE SET
        (state, author_id, since, day, killed_low, killed_high, grading, place_id, adm1_id, taken_by_id,
         open_warnings, is_imported, words)
        = (excluded.state, excluded.author_id, excluded.since, excluded.day, excluded.killed_low,
           excluded.killed_high, excluded.grading, excluded.place_id, excluded.adm1_id, excluded.taken_by_id,
           excluded.open_warnings, excluded.is_imported, excluded.words);
END $$;

-- A step was taken.
CREATE FUNCTION incidents_waiting_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moved bigint[] := array(SELECT n.id FROM old_rows o JOIN new_rows n ON n.id = o.id WHERE n.state <> o.state);
BEGIN
    IF cardinality(moved) > 0 THEN
        PERFORM incidents_reckon_waiting(moved);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_incident_waits_update AFTER UPDATE ON incidents_incident
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_waiting_stepped();

-- The record, or something that hangs on it, was edited.
CREATE FUNCTION incidents_waiting_edited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    edited bigint[] := array(SELECT w.incident_id FROM incidents_waiting w JOIN new_rows n USING (incident_id));
BEGIN
    IF cardinality(edited) > 0 THEN
        PERFORM incidents_reckon_waiting(edited);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_incidentrevision_waits_update AFTER UPDATE ON incidents_incidentrevision
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_waiting_edited();

CREATE FUNCTION incidents_waiting_taken() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE incidents_waiting SET taken_by_id = NULL WHERE incident_id = OLD.incident_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE incidents_waiting SET taken_by_id = NEW.person_id WHERE incident_id = NEW.incident_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_assignment_waits AFTER INSERT OR UPDATE OR DELETE ON incidents_assignment
    FOR EACH ROW EXECUTE FUNCTION incidents_waiting_taken();

CREATE FUNCTION incidents_waiting_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH RECURSIVE down (id) AS (
        SELECT NEW.id UNION SELECT p.id FROM down JOIN incidents_place p ON p.parent_id = down.id)
    UPDATE incidents_waiting w SET adm1_id = incidents_adm1(w.place_id)
    FROM down WHERE w.place_id = down.id;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_place_waits_update AFTER UPDATE ON incidents_place
    FOR EACH ROW WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id OR OLD.level <> NEW.level)
    EXECUTE FUNCTION incidents_waiting_moved();
"""
WAITING_BACK = """
DROP TRIGGER incidents_place_waits_update ON incidents_place;
DROP FUNCTION incidents_waiting_moved();
DROP TRIGGER incidents_assignment_waits ON incidents_assignment;
DROP FUNCTION incidents_waiting_taken();
DROP TRIGGER incidents_incidentrevision_waits_update ON incidents_incidentrevision;
DROP FUNCTION incidents_waiting_edited();
DROP TRIGGER incidents_incident_waits_update ON incidents_incident;
DROP FUNCTION incidents_waiting_stepped();
DROP FUNCTION incidents_reckon_waiting(bigint[]);
"""

KEY = "state, grading, adm1, is_taken, has_warnings, is_imported"
KEYS = """
    SELECT state, grading, coalesce(adm1_id, 0) AS adm1, taken_by_id IS NOT NULL AS is_taken,
        open_warnings > 0 AS has_warnings, is_imported, {sign}count(*) AS n
    FROM {rows} r GROUP BY 1, 2, 3, 4, 5, 6
"""
CAME, WENT = KEYS.format(sign="", rows="came"), KEYS.format(sign="-", rows="went")
HELD = KEYS.format(sign="", rows="incidents_waiting")
# Rows of the same key that another transaction holds are left to a later one: nobody waits.
COUNT = """
        WITH changes AS (
            SELECT {key}, sum(n)::bigint AS n FROM ({changes}) c GROUP BY {key} HAVING sum(n) <> 0
        ), free AS (
            SELECT h.id FROM incidents_waitingcount h JOIN changes USING ({key})
            FOR UPDATE OF h SKIP LOCKED
        ), gone AS (
            DELETE FROM incidents_waitingcount h USING free WHERE h.id = free.id
            RETURNING {held_key}, h.n
        )
        INSERT INTO incidents_waitingcount ({key}, n)
        SELECT {key}, sum(n) FROM (SELECT {key}, n FROM changes UNION ALL SELECT {key}, n FROM gone) a
        GROUP BY {key} HAVING sum(n) <> 0;
"""


def count(changes):
    held = ", ".join(f"h.{name}" for name in KEY.split(", "))
    return COUNT.format(key=KEY, held_key=held, changes=changes)


COUNTED = f"""
CREATE FUNCTION incidents_count_waiting() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {count(CAME)}
    ELSIF TG_OP = 'UPDATE' THEN
        {count(f"{CAME} UNION ALL {WENT}")}
    ELSE
        {count(WENT)}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_waiting_counted_insert AFTER INSERT ON incidents_waiting
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_waiting();
CREATE TRIGGER incidents_waiting_counted_update AFTER UPDATE ON incidents_waiting
    REFERENCING OLD TABLE AS went NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_waiting();
CREATE TRIGGER incidents_waiting_counted_delete AFTER DELETE ON incidents_waiting
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION incidents_count_waiting();

SELECT incidents_reckon_waiting(array(
    SELECT id FROM incidents_incident WHERE state IN ('draft', 'submitted', 'verified')));
"""
COUNTED_BACK = """
DROP TRIGGER incidents_waiting_counted_delete ON incidents_waiting;
DROP TRIGGER incidents_waiting_counted_update ON incidents_waiting;
DROP TRIGGER incidents_waiting_counted_insert ON incidents_waiting;
DROP FUNCTION incidents_count_waiting();
"""

# What everybody may know. Whole weeks and midnights alone, no place, person or record, and every
# number to the nearest five: the difference of two days does not tell that somebody reported
# something that day. The moment is not for who asks to choose: he could go through the seconds.
BACKLOG = """
CREATE FUNCTION incidents_to_five(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT (n + 2) / 5 * 5
$$;

-- Each record counts once in each column of the weeks: when it first came in, was first verified and
-- first published. Days are whole ones, from the submission before that step; fewer than five records
-- have no median.
CREATE FUNCTION incidents_backlog_at(moment timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    WITH monday AS (
        SELECT date_trunc('week', moment, 'UTC') AS last
    ), waiting AS (
        SELECT w.incident_id, w.since FROM incidents_waiting w
            WHERE w.state <> 'draft' AND w.since < moment
        UNION
        -- What waited then, and has since gone on.
        SELECT later.incident_id, (
            SELECT r.at FROM incidents_review r WHERE r.incident_id = later.incident_id
                AND r.at < moment AND r.verb = 'submit' ORDER BY r.id DESC LIMIT 1)
        FROM (SELECT DISTINCT r.incident_id FROM incidents_review r WHERE r.at >= moment) later
        WHERE (SELECT r.verb FROM incidents_review r WHERE r.incident_id = later.incident_id
               AND r.at < moment ORDER BY r.id DESC LIMIT 1) IN ('submit', 'verify')
    ), ages AS (
        SELECT extract(day FROM moment - since) AS days FROM waiting
    ), steps AS (
        -- The first of its kind that each record took.
        SELECT r.incident_id, r.id, r.verb, r.at, date_trunc('week', r.at, 'UTC') AS week
        FROM incidents_review r, monday m
        WHERE r.at >= m.last - interval '84 days' AND r.at < m.last
            AND r.verb IN ('submit', 'verify', 'publish')
            AND NOT EXISTS (SELECT FROM incidents_review e
                            WHERE e.incident_id = r.incident_id AND e.verb = r.verb AND e.id < r.id)
    ), took AS (
        SELECT verb, extract(day FROM s.at - (
            SELECT b.at FROM incidents_review b
            WHERE b.incident_id = s.incident_id AND b.verb = 'submit' AND b.id < s.id
            ORDER BY b.id DESC LIMIT 1))::integer AS days
        FROM steps s WHERE verb IN ('verify', 'publish')
    ), medians AS (
        SELECT verb, CASE WHEN count(*) >= 5
            THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY days) END AS days
        FROM took GROUP BY verb
    ), weeks AS (
        SELECT begins,
            count(*) FILTER (WHERE verb = 'submit') AS came_in,
            count(*) FILTER (WHERE verb = 'verify') AS verified,
            count(*) FILTER (WHERE verb = 'publish') AS published
        FROM monday m
        CROSS JOIN LATERAL generate_series(1, 12) AS back
        CROSS JOIN LATERAL (SELECT m.last - back * interval '7 days' AS begins) b
        LEFT JOIN steps s ON s.week = begins
        GROUP BY begins
    )
    SELECT jsonb_build_object(
        'as_of', incidents_moment(moment),
        'rounded_to', 5,
        'waiting', (SELECT incidents_to_five(count(*)) FROM ages),
        'by_age', (
            SELECT jsonb_agg(jsonb_build_object('from_days', a.low, 'to_days', a.high, 'waiting', (
                SELECT incidents_to_five(count(*)) FROM ages
                WHERE days >= a.low AND (a.high IS NULL OR days <= a.high))) ORDER BY a.low)
            FROM (VALUES (0, 6), (7, 29), (30, 89), (90, NULL)) AS a (low, high)),
        'weeks', (
            SELECT jsonb_agg(jsonb_build_object(
                'begins', to_char(begins AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                'came_in', incidents_to_five(came_in),
                'verified', incidents_to_five(verified),
                'published', incidents_to_five(published)) ORDER BY begins)
            FROM weeks),
        'median_days', jsonb_build_object(
            'to_verification', (SELECT days FROM medians WHERE verb = 'verify'),
            'to_publication', (SELECT days FROM medians WHERE verb = 'publish')))
$$;

CREATE FUNCTION incidents_backlog() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT incidents_backlog_at(date_trunc('day', now(), 'UTC'))
$$;
"""
BACKLOG_BACK = """
DROP FUNCTION incidents_backlog();
DROP FUNCTION incidents_backlog_at(timestamptz);
DROP FUNCTION incidents_to_five(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0021_looks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Waiting",
            fields=[
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="waiting",
                        serialize=False,
                        to="incidents.incident",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        help_text="Of the record; draft: it was returned.", max_length=40
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(
                        help_text="Its last submission; of a returned one, the return."
                    ),
                ),
                ("day", models.DateField(help_text="The UTC day of it.")),
                (
                    "killed_low",
                    models.BigIntegerField(
                        help_text="At least so many persons killed; -1: not known."
                    ),
                ),
                (
                    "killed_high",
                    models.BigIntegerField(
                        help_text="The highest figure of persons killed in our assessment; "
                        "-1: there is none."
                    ),
                ),
                ("grading", models.CharField(help_text="Of the record.", max_length=40)),
                (
                    "place",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incidents.place",
                    ),
                ),
                (
                    "adm1",
                    models.ForeignKey(
                        help_text="The state or region it lies in; the widest place it lies in, "
                        "where there is no such.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incidents.place",
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "open_warnings",
                    models.IntegerField(
                        help_text="As of the record's last step or edit; 0 of a returned one."
                    ),
                ),
                (
                    "is_imported",
                    models.BooleanField(help_text="Whether an import made or changed it."),
                ),
                (
                    "words",
                    models.TextField(
                        help_text="Title and code without case and accents, to search in."
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        F("day"),
                        F("killed_high").desc(),
                        F("incident"),
                        name="waiting_oldest",
                        condition=~Q(state="draft"),
                    ),
                    models.Index(
                        F("killed_high").desc(),
                        F("day"),
                        F("incident"),
                        name="waiting_gravest",
                        condition=~Q(state="draft"),
                    ),
                    models.Index(
                        F("killed_low").desc(),
                        F("day"),
                        F("incident"),
                        name="waiting_killed",
                        condition=~Q(state="draft"),
                    ),
                    models.Index(
                        fields=["since"], name="waiting_since", condition=~Q(state="draft")
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitingCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state", models.CharField(max_length=40)),
                ("grading", models.CharField(max_length=40)),
                ("adm1", models.BigIntegerField(help_text="Id of the place; 0: none.")),
                ("is_taken", models.BooleanField()),
                ("has_warnings", models.BooleanField()),
                ("is_imported", models.BooleanField()),
                ("n", models.BigIntegerField(help_text="Rows that came, less those that went.")),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=[
                            "state",
                            "grading",
                            "adm1",
                            "is_taken",
                            "has_warnings",
                            "is_imported",
                        ],
                        name="waitingcount_by_key",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="review", index=models.Index(fields=["at"], name="review_by_moment")
        ),
        migrations.RunSQL(OPEN_WARNINGS + FIGURES, FIGURES_BACK),
        migrations.RunSQL(WAITING, WAITING_BACK),
        migrations.RunSQL(COUNTED, COUNTED_BACK),
        migrations.RunSQL(BACKLOG, BACKLOG_BACK),
    ]
