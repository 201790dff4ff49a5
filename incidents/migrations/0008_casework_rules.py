"""What a record lacks, which ids are taken, and when it was last edited, as the database holds it."""

from django.db import migrations

from harmtracker.history.sql import check

# Moments of records that were there before the columns, from the history.
MOMENTS = """
ALTER TABLE incidents_incidentrevision DISABLE TRIGGER incidents_incidentrevision_counts_edits;
UPDATE incidents_incidentrevision r SET entered_at = h.first, changed_at = h.last
FROM (SELECT incident_id, min(at) AS first, max(at) AS last FROM history_historyentry
      WHERE table_name <> 'incidents_reviewcomment' GROUP BY incident_id) h
WHERE h.incident_id = r.incident_id;
ALTER TABLE incidents_incidentrevision ENABLE TRIGGER incidents_incidentrevision_counts_edits;

CREATE OR REPLACE FUNCTION incidents_revision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> OLD.number + 1 OR NEW.incident_id <> OLD.incident_id
       OR coalesce(current_setting('harmtracker.actor', true), '') = '' THEN
        RAISE EXCEPTION 'A revision is the next one, by somebody''s edit.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incidentrevision_counts_edits';
    END IF;
    NEW.entered_at := OLD.entered_at;
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
"""
MOMENTS_BACK = """
CREATE OR REPLACE FUNCTION incidents_revision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> OLD.number + 1 OR NEW.incident_id <> OLD.incident_id
       OR coalesce(current_setting('harmtracker.actor', true), '') = '' THEN
        RAISE EXCEPTION 'A revision is the next one, by somebody''s edit.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incidentrevision_counts_edits';
    END IF;
    RETURN NEW;
END $$;
"""

# Of the records that have a code, one carries an id of another dataset. A draft is compared when
# it is published: the refusal of an id that somebody else's draft carries would tell of the draft.
EXTERNAL_IDS = """
CREATE FUNCTION incidents_externalid_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    SELECT i.code INTO other FROM incidents_externalid e JOIN incidents_incident i ON i.id = e.incident_id
        WHERE (e.dataset_id, e.value) = (NEW.dataset_id, NEW.value)
          AND e.incident_id <> NEW.incident_id AND e.id <> NEW.id AND i.code IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% carries this id already.', other
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_externalid_one_published';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_externalid_one_published BEFORE INSERT OR UPDATE OF dataset_id, value, incident_id
    ON incidents_externalid FOR EACH ROW EXECUTE FUNCTION incidents_externalid_guard();

-- Publications take turns on the head of the ledger before they come here.
CREATE FUNCTION incidents_published_ids_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken record;
BEGIN
    SELECT e.value, o.code INTO taken
    FROM incidents_incident i JOIN incidents_externalid e ON e.incident_id = i.id
        JOIN incidents_externalid f ON (f.dataset_id, f.value) = (e.dataset_id, e.value) AND f.incident_id <> i.id
        JOIN incidents_incident o ON o.id = f.incident_id AND o.code IS NOT NULL
    WHERE i.code = NEW.code LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% carries the id % already: one of the two records is a duplicate.', taken.code, taken.value
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_ids_are_its_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_publishedversion_ids_are_its_own BEFORE INSERT ON incidents_publishedversion
    FOR EACH ROW WHEN (NEW.kind = 'published') EXECUTE FUNCTION incidents_published_ids_guard();
"""

# What a record lacks, each with the rows behind it: rule, the field or part it is about, whether it
# bars the record from being submitted, the sentence, and rows as [{"type": ..., "id": ...}].
WARNINGS = """
CREATE FUNCTION incidents_rows(kind text, ids uuid[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('type', kind, 'id', id)), '[]') FROM unnest(ids) AS id
$$;

-- Who reports harm: a denial is no report of it.
CREATE FUNCTION incidents_voices(incident bigint) RETURNS TABLE (voice text, claim uuid) LANGUAGE sql STABLE AS $$
    SELECT coalesce(o.independence_group, a.independence_group), c.uuid
    FROM incidents_claim c LEFT JOIN sources_outlet o ON o.id = c.attributed_outlet_id
        LEFT JOIN incidents_actor a ON a.id = c.attributed_actor_id
    WHERE c.incident_id = incident AND c.kind <> 'denial'
$$;

-- The most that our assessment allows of an outcome: NULL where it sets no bound.
CREATE FUNCTION incidents_most(incident bigint, outcome text) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH wholes AS (
        SELECT status, max FROM incidents_casualtycount c
        WHERE c.incident_id = $1 AND c.claim_id IS NULL AND c.outcome = $2
            AND c.sex = 'all' AND c.age_group = 'all' AND c.affiliation_id IS NULL
    )
    SELECT CASE
        WHEN EXISTS (SELECT FROM wholes WHERE status = 'all') THEN (SELECT max(max) FROM wholes WHERE status = 'all')
        WHEN EXISTS (SELECT FROM wholes WHERE max IS NULL) THEN NULL
        ELSE (SELECT sum(max) FROM wholes) END
$$;

CREATE FUNCTION incidents_warnings(incident bigint)
RETURNS TABLE (rule text, field text, blocks boolean, message text, rows jsonb) LANGUAGE sql STABLE AS $$
    SELECT 'date_missing', 'date_edtf', true, 'The date is missing: a year or an interval will do.', '[]'::jsonb
        FROM incidents_incident i WHERE i.id = incident AND i.date_edtf IS NULL
    UNION ALL
    SELECT 'place_missing', 'place', true, 'The place is missing: a country will do.', '[]'
        FROM incidents_incident i WHERE i.id = incident AND i.place_id IS NULL
    UNION ALL
    SELECT 'claim_missing', 'claims', true, 'Nobody is quoted: enter what at least one source says.', '[]'
        FROM incidents_incident i WHERE i.id = incident
        AND NOT EXISTS (SELECT FROM incidents_claim c WHERE c.incident_id = i.id)
    UNION ALL
    SELECT 'grading_missing', 'grading', true, 'Nobody has graded the record yet.', '[]'
        FROM incidents_incident i WHERE i.id = incident AND i.grading = 'unassessed'
    UNION ALL
    SELECT 'grading_without_sources', 'grading', true,
        'Confirmed needs an admission or a finding among the claims; there is none.',
        incidents_rows('claim', array(SELECT uuid FROM incidents_claim c WHERE c.incident_id = i.id ORDER BY id))
        FROM incidents_incident i WHERE i.id = incident AND i.grading = 'confirmed'
        AND NOT EXISTS (SELECT FROM incidents_claim c WHERE c.incident_id = i.id AND c.kind IN ('admission', 'finding'))
    UNION ALL
    SELECT 'grading_without_sources', 'grading', true,
        format('Fair needs two independent sources; the claims come from %s.',
               (SELECT count(DISTINCT voice) FROM incidents_voices(i.id))),
        incidents_rows('claim', array(SELECT claim FROM incidents_voices(i.id)))
        FROM incidents_incident i WHERE i.id = incident AND i.grading = 'fair'
        AND (SELECT count(DISTINCT voice) FROM incidents_voices(i.id)) < 2
    UNION ALL
    SELECT 'grading_without_sources', 'grading', true,
        'Contested needs claims that name different perpetrators, or a denial.',
        incidents_rows('claim', array(SELECT uuid FROM incidents_claim c WHERE c.incident_id = i.id ORDER BY id))
        FROM incidents_incident i WHERE i.id = incident AND i.grading = 'contested'
        AND NOT EXISTS (SELECT FROM incidents_claim c WHERE c.incident_id = i.id AND c.kind = 'denial')
        AND NOT EXISTS (SELECT FROM incidents_involvement v WHERE v.incident_id = i.id AND v.claim_id IS NOT NULL
                        AND v.role = 'alleged_perpetrator' AND v.certainty = 'denied')
        AND (SELECT count(DISTINCT actor_id) FROM incidents_involvement v
             WHERE v.incident_id = i.id AND v.claim_id IS NOT NULL
             AND v.role IN ('alleged_perpetrator', 'claimed_responsibility') AND v.certainty <> 'denied') < 2
    UNION ALL
    SELECT 'grading_below_sources', 'grading', false,
        format('Weak is for one source; the claims come from %s independent ones.',
               (SELECT count(DISTINCT voice) FROM incidents_voices(i.id))),
        incidents_rows('claim', array(SELECT claim FROM incidents_voices(i.id)))
        FROM incidents_incident i WHERE i.id = incident AND i.grading = 'weak'
        AND (SELECT count(DISTINCT voice) FROM incidents_voices(i.id)) > 1
    UNION ALL
    SELECT 'part_above_whole', 'counts', false,
        format('A part has %s persons at best, its whole at most %s.', p.best, w.max),
        incidents_rows('count', ARRAY[p.uuid, w.uuid])
        FROM incidents_casualtycount w JOIN incidents_casualtycount p
            ON p.incident_id = w.incident_id AND p.claim_id IS NOT DISTINCT FROM w.claim_id
            AND p.outcome = w.outcome AND p.id <> w.id
        WHERE w.incident_id = incident AND p.best > w.max
            AND incidents_covers(w.status, p.status) AND incidents_covers(w.role, p.role)
            AND incidents_covers(w.sex, p.sex) AND incidents_covers(w.age_group, p.age_group)
            AND (w.affiliation_id IS NULL OR w.affiliation_id = p.affiliation_id)
    UNION ALL
    SELECT 'bound_without_claim', 'counts', false,
        format('No claim is named that sets the %s of this count.', bound),
        incidents_rows('count', ARRAY[c.uuid])
        FROM incidents_casualtycount c, LATERAL (VALUES ('min', c.min), ('best', c.best), ('max', c.max)) AS b (bound, figure)
        WHERE c.incident_id = incident AND c.claim_id IS NULL AND figure IS NOT NULL
        -- A claim that sets the best figure sets the bounds that equal it.
        AND NOT EXISTS (SELECT FROM incidents_countbasis s WHERE s.count_id = c.id
                        AND (s.bound = b.bound OR (s.bound = 'best' AND figure = c.best)))
    UNION ALL
    SELECT 'named_victims_above_max', 'victims', false,
        format('%s persons %s are named, and the assessment has at most %s.', count(*), v.outcome, incidents_most(incident, v.outcome)),
        incidents_rows('victim', array_agg(v.uuid ORDER BY v.id))
        FROM incidents_victim v WHERE v.incident_id = incident AND cardinality(v.names) > 0
        GROUP BY v.outcome HAVING count(*) > incidents_most(incident, v.outcome)
    UNION ALL
    SELECT 'article_not_kept', 'claims', false,
        'No copy of the article is kept, here or in a public archive.',
        incidents_rows('claim', array_agg(c.uuid ORDER BY c.id))
        FROM incidents_claim c JOIN sources_article a ON a.id = c.article_id
        WHERE c.incident_id = incident AND a.archive_url IS NULL
        AND NOT EXISTS (SELECT FROM sources_capture p WHERE p.article_id = a.id)
        HAVING count(*) > 0
$$;

CREATE FUNCTION incidents_complete_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lacking text;
BEGIN
    SELECT string_agg(message, ' ') INTO lacking FROM incidents_warnings(NEW.incident_id) WHERE blocks;
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION '%', lacking
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_complete_record';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_review_of_complete_record BEFORE INSERT ON incidents_review
    FOR EACH ROW WHEN (NEW.verb IN ('submit', 'verify')) EXECUTE FUNCTION incidents_complete_guard();
"""
WARNINGS_BACK = """
DROP TRIGGER incidents_review_of_complete_record ON incidents_review;
DROP FUNCTION incidents_complete_guard();
DROP FUNCTION incidents_warnings(bigint);
DROP FUNCTION incidents_most(bigint, text);
DROP FUNCTION incidents_voices(bigint);
DROP FUNCTION incidents_rows(text, uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0007_casework")]

    operations = [
        migrations.RunSQL(MOMENTS, MOMENTS_BACK),
        migrations.RunSQL(
            EXTERNAL_IDS,
            "DROP TRIGGER incidents_publishedversion_ids_are_its_own ON incidents_publishedversion;"
            "DROP FUNCTION incidents_published_ids_guard();"
            "DROP TRIGGER incidents_externalid_one_published ON incidents_externalid;"
            "DROP FUNCTION incidents_externalid_guard();",
        ),
        migrations.RunSQL(WARNINGS, WARNINGS_BACK),
        # UTC+14, as for the date of an incident.
        check(
            "incidents_claim", "incidents_claim_date_not_in_the_future",
            "date_said IS NULL OR edtf_earliest(date_said) <= (now() AT TIME ZONE 'UTC' + interval '14 hours')::date",
        ),
    ]
