"""A second person: who has had a hand in a record, who may take a step, and which step follows."""

from django.db import migrations

from harmtracker.history.sql import check, refuse

# The shared rows that a record refers to, and what those lie in: an edit of one is an edit of
# what its next version says.
SHARED = """
CREATE FUNCTION incidents_shared(incident bigint) RETURNS TABLE (table_name text, row_id bigint)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE used_places (id) AS (
        SELECT place_id FROM incidents_incident WHERE id = incident AND place_id IS NOT NULL
        UNION SELECT place_id FROM incidents_furtherplace WHERE incident_id = incident
        UNION SELECT p.parent_id FROM used_places u JOIN incidents_place p ON p.id = u.id
              WHERE p.parent_id IS NOT NULL
    ), used_actors (id) AS (
        SELECT attributed_actor_id FROM incidents_claim
            WHERE incident_id = incident AND attributed_actor_id IS NOT NULL
        UNION SELECT actor_id FROM incidents_involvement WHERE incident_id = incident
        UNION SELECT affiliation_id FROM incidents_casualtycount
            WHERE incident_id = incident AND affiliation_id IS NOT NULL
        UNION SELECT a.parent_id FROM used_actors u JOIN incidents_actor a ON a.id = u.id
              WHERE a.parent_id IS NOT NULL
    ), used_articles (id) AS (
        SELECT article_id FROM incidents_claim WHERE incident_id = incident
    ), used_outlets (id) AS (
        SELECT attributed_outlet_id FROM incidents_claim
            WHERE incident_id = incident AND attributed_outlet_id IS NOT NULL
        UNION SELECT a.outlet_id FROM sources_article a JOIN used_articles u ON a.id = u.id
    ), used_datasets (id) AS (
        SELECT dataset_id FROM incidents_incident WHERE id = incident AND dataset_id IS NOT NULL
        UNION SELECT dataset_id FROM incidents_externalid WHERE incident_id = incident
    )
    SELECT 'incidents_place', id FROM used_places
    UNION ALL SELECT 'incidents_actor', id FROM used_actors
    UNION ALL SELECT 'sources_article', id FROM used_articles
    UNION ALL SELECT 'sources_outlet', id FROM used_outlets
    UNION ALL SELECT 'incidents_dataset', id FROM used_datasets
$$;

-- Nobody changes them until the transaction ends; one that is being changed is waited for, so that
-- its editor is seen.
CREATE FUNCTION incidents_hold_shared(incident bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    shared_table text;
BEGIN
    FOREACH shared_table IN ARRAY ARRAY['incidents_place', 'incidents_actor', 'sources_article',
                                        'sources_outlet', 'incidents_dataset'] LOOP
        EXECUTE format('SELECT FROM %I WHERE id IN (SELECT row_id FROM incidents_shared($1)
            WHERE table_name = %L) ORDER BY id FOR SHARE', shared_table, shared_table)
            USING incident;
    END LOOP;
END $$;
"""

# The author, everyone who changed the record or a part of it since it was last published, and
# everyone who, in that time, changed a shared row that it refers to. A step of the workflow is no
# edit. A retraction publishes nothing, so what was edited before it still waits for a second person.
EDITORS = """
CREATE FUNCTION incidents_editors(incident bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH since AS (
        SELECT coalesce(
            max(id) FILTER (WHERE after->>'state' = 'published'
                            AND before->>'state' = 'verified'),
            min(id)) AS id
        FROM history_historyentry WHERE table_name = 'incidents_incident' AND row_id = incident
    )
    SELECT author_id FROM incidents_incident WHERE id = incident
    UNION
    SELECT h.actor_id FROM history_historyentry h, since
    WHERE h.incident_id = incident AND h.id >= since.id
      AND h.table_name <> 'incidents_reviewcomment'
      AND (h.operation = 'UPDATE' AND h.table_name = 'incidents_incident'
           AND incidents_content(h.before) = incidents_content(h.after)) IS NOT TRUE
    UNION
    SELECT h.actor_id FROM incidents_shared(incident) s JOIN history_historyentry h
        ON h.table_name = s.table_name AND h.row_id = s.row_id, since
    WHERE h.id >= since.id
$$;
"""

# The content of a verification is built by the application. What names a person, and the headline
# facts, are compared with the records once more.
REVIEW = """
CREATE FUNCTION incidents_may(person bigint, codename text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM accounts_user u
        JOIN accounts_user_groups g ON g.user_id = u.id
        JOIN auth_group_permissions gp ON gp.group_id = g.group_id
        JOIN auth_permission p ON p.id = gp.permission_id
        JOIN django_content_type t ON t.id = p.content_type_id
        WHERE u.id = person AND u.is_active AND t.app_label = 'incidents' AND p.codename = $2)
$$;

CREATE FUNCTION incidents_is_of_record(incident bigint, content jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT i.title IS NOT DISTINCT FROM content->>'title'
        AND i.summary IS NOT DISTINCT FROM content->>'summary'
        AND i.record_type IS NOT DISTINCT FROM content->>'record_type'
        AND i.grading IS NOT DISTINCT FROM content#>>'{grading,code}'
        AND i.date_edtf IS NOT DISTINCT FROM content#>>'{date,edtf}'
        AND p.uuid::text IS NOT DISTINCT FROM content#>>'{place,id}'
        AND (SELECT count(*) FROM incidents_claim c WHERE c.incident_id = i.id)
            = jsonb_array_length(content->'claims')
        AND (SELECT count(*) FROM incidents_casualtycount c WHERE c.incident_id = i.id AND c.claim_id IS NULL)
            = jsonb_array_length(content->'casualties')
        AND (SELECT count(*) FROM incidents_victim v WHERE v.incident_id = i.id)
            = jsonb_array_length(content->'victims')
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(content->'victims') w
            WHERE (w ? 'names' OR w ? 'age') AND NOT EXISTS (
                SELECT FROM incidents_victim v
                WHERE v.incident_id = i.id AND v.consent_basis = w->>'consent_basis'
                    AND to_jsonb(v.names) = w->'names'))
    FROM incidents_incident i LEFT JOIN incidents_place p ON p.id = i.place_id
    WHERE i.id = incident
$$;

CREATE FUNCTION incidents_review_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    record_state text;
    revision_now bigint;
BEGIN
    NEW.at := clock_timestamp();
    IF NEW.actor_id IS DISTINCT FROM nullif(current_setting('harmtracker.actor', true), '')::bigint THEN
        RAISE EXCEPTION 'A step of the workflow is taken in one''s own name.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_in_own_name';
    END IF;
    IF NOT incidents_may(NEW.actor_id, CASE WHEN NEW.verb LIKE '%retract%' THEN 'retract' ELSE NEW.verb END || '_incident') THEN
        RAISE EXCEPTION 'You may not % incidents.', replace(NEW.verb, '_', ' ')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_by_who_may';
    END IF;
    SELECT number INTO revision_now FROM incidents_incidentrevision
        WHERE incident_id = NEW.incident_id FOR UPDATE;
    IF NEW.verb = 'verify' THEN
        SELECT state INTO record_state FROM incidents_incident WHERE id = NEW.incident_id;
        IF record_state <> 'submitted' THEN
            RAISE EXCEPTION 'Only a submitted record can be verified; this one is %.', record_state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_submitted';
        END IF;
        IF NEW.revision IS DISTINCT FROM revision_now THEN
            RAISE EXCEPTION 'The record was edited after it was looked at (revision % is now %).', NEW.revision, revision_now
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_current_revision';
        END IF;
        PERFORM incidents_hold_shared(NEW.incident_id);
        IF NEW.actor_id IN (SELECT incidents_editors(NEW.incident_id)) THEN
            RAISE EXCEPTION 'A record is verified by a second person: neither its author nor anyone who edited it, or a place, actor, outlet or article that it names, since it was last published.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_four_eyes';
        END IF;
        IF incidents_is_of_record(NEW.incident_id, NEW.content::jsonb) IS NOT TRUE THEN
            RAISE EXCEPTION 'What was verified is not what the record says.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_the_record';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_review_guard BEFORE INSERT ON incidents_review
    FOR EACH ROW EXECUTE FUNCTION incidents_review_guard();
-- The last review is the one with the highest id: nobody chooses one.
ALTER TABLE incidents_review ALTER COLUMN id SET GENERATED ALWAYS;
"""

# Each step of the workflow: from, to, and the review that must have been written for it.
STATES = """
CREATE FUNCTION incidents_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
    revision_now bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.code IS NOT NULL THEN
            RAISE EXCEPTION 'A record begins as a draft without a code.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_begins_as_draft';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.author_id <> NEW.author_id THEN
        RAISE EXCEPTION 'The author of a record stays the author.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_author_stays';
    END IF;
    IF NEW.code IS DISTINCT FROM OLD.code AND (OLD.code IS NOT NULL OR OLD.state <> 'verified') THEN
        RAISE EXCEPTION 'A code is given at first publication and never changes.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_code_is_for_ever';
    END IF;
    IF NEW.code IS DISTINCT FROM OLD.code AND NEW.code IS DISTINCT FROM (
        SELECT format('%s-%s-%s', c.country, lpad(c.year::text, 4, '0'),
                      CASE WHEN c.last < 10000 THEN lpad(c.last::text, 4, '0') ELSE c.last::text END)
        FROM incidents_place p JOIN incidents_codecounter c ON c.country = p.country
        WHERE p.id = NEW.place_id
          -- Of the old row: a generated column of the new one is not there yet.
          AND c.year = extract(year FROM coalesce(OLD.date_earliest, OLD.date_latest))) THEN
        RAISE EXCEPTION 'A code is the next one of its country and year.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_code_is_counted';
    END IF;
    IF NEW.state IS DISTINCT FROM OLD.state THEN
        SELECT * INTO last FROM incidents_review WHERE incident_id = NEW.id ORDER BY id DESC LIMIT 1;
        SELECT number INTO revision_now FROM incidents_incidentrevision WHERE incident_id = NEW.id;
        IF last.id IS NULL OR last.revision IS DISTINCT FROM revision_now
           OR (OLD.state, NEW.state, last.verb) NOT IN (
                ('draft', 'submitted', 'submit'),
                ('submitted', 'draft', 'return'), ('verified', 'draft', 'return'),
                ('submitted', 'verified', 'verify'),
                ('verified', 'published', 'publish'),
                ('published', 'draft', 'reopen'), ('retracted', 'draft', 'reopen'),
                ('published', 'retracted', 'retract')) THEN
            RAISE EXCEPTION 'A record goes from % to % only by a step of the workflow.', OLD.state, NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_state_by_workflow';
        END IF;
        IF NEW.state IN ('published', 'retracted') AND NOT EXISTS (
            SELECT FROM incidents_publishedversion v
            WHERE v.code = NEW.code AND v.kind = NEW.state AND v.seq = (
                SELECT max(w.seq) FROM incidents_publishedversion w WHERE w.code = NEW.code)
        ) THEN
            RAISE EXCEPTION 'A record is % only by a version in the ledger that says so.', NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_published_by_version';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_incident_state_guard BEFORE INSERT OR UPDATE ON incidents_incident
    FOR EACH ROW EXECUTE FUNCTION incidents_state_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_rules")]

    operations = [
        migrations.RunSQL(
            SHARED,
            "DROP FUNCTION incidents_hold_shared(bigint); DROP FUNCTION incidents_shared(bigint);",
        ),
        migrations.RunSQL(EDITORS, "DROP FUNCTION incidents_editors(bigint);"),
        check(
            "incidents_review", "incidents_review_content_hash",
            "content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')",
        ),
        migrations.RunSQL(
            REVIEW,
            "ALTER TABLE incidents_review ALTER COLUMN id SET GENERATED BY DEFAULT;"
            "DROP TRIGGER incidents_review_guard ON incidents_review;"
            "DROP FUNCTION incidents_review_guard();"
            "DROP FUNCTION incidents_is_of_record(bigint, jsonb);"
            "DROP FUNCTION incidents_may(bigint, text);",
        ),
        migrations.RunSQL(
            STATES,
            "DROP TRIGGER incidents_incident_state_guard ON incidents_incident;"
            "DROP FUNCTION incidents_state_guard();",
        ),
        refuse(
            "incidents_review", "UPDATE", "DELETE", "TRUNCATE", rule="incidents_review_only_grows",
            message="What was said stays: steps of the workflow are added, never changed.",
        ),
    ]
