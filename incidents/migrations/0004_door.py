"""The door between casework and the published side, as the database holds it."""

from django.db import migrations

from harmtracker.history.sql import check, refuse

MOMENT = """
CREATE FUNCTION incidents_moment(value timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
"""

# A document is content and six stamps. Both are compared as text: in jsonb the last of two equal
# keys wins, and what stood in the first would be served all the same.
DOOR = """
CREATE FUNCTION incidents_content_of(document text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT '{' || string_agg(to_json(key)::text || ':' || value::text, ',' ORDER BY position) || '}'
    FROM json_each(document::json) WITH ORDINALITY AS part (key, value, position)
    WHERE key NOT IN ('code', 'version', 'published_at', 'previous_version', 'note', 'cite')
$$;

CREATE FUNCTION incidents_stamps_of(document text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN count(*) = 6 THEN jsonb_object_agg(key, value) END
    FROM json_each(document::json) AS part (key, value)
    WHERE key IN ('code', 'version', 'published_at', 'previous_version', 'note', 'cite')
$$;

CREATE FUNCTION incidents_is_protected(place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up (id, parent_id, protected) AS (
        SELECT id, parent_id, protected FROM incidents_place WHERE id = place
        UNION SELECT p.id, p.parent_id, p.protected FROM up JOIN incidents_place p ON p.id = up.parent_id)
    SELECT coalesce(bool_or(protected), false) FROM up
$$;

CREATE FUNCTION incidents_publish_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    incident incidents_incident%ROWTYPE;
    last incidents_review%ROWTYPE;
    revision_now bigint;
    document jsonb := NEW.document::jsonb;
    entry incidents_ledgerentry%ROWTYPE;
    numbers_before int;
BEGIN
    SELECT * INTO incident FROM incidents_incident WHERE code = NEW.code FOR NO KEY UPDATE;
    SELECT number INTO revision_now FROM incidents_incidentrevision WHERE incident_id = incident.id FOR UPDATE;
    SELECT * INTO last FROM incidents_review WHERE incident_id = incident.id ORDER BY id DESC LIMIT 1;
    SELECT * INTO entry FROM incidents_ledgerentry WHERE seq = NEW.seq;
    SELECT coalesce(max(number), 0) INTO numbers_before FROM incidents_publishedversion WHERE code = NEW.code;
    IF incident.id IS NULL OR last.id IS NULL OR last.revision IS DISTINCT FROM revision_now
       OR (incident.state, last.verb, NEW.kind) NOT IN (
            ('verified', 'verify', 'published'), ('published', 'propose_retraction', 'retracted')) THEN
        RAISE EXCEPTION 'Only a verified record can be published: there is no live review of %.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_has_live_review';
    END IF;
    IF (entry.code, entry.version, entry.kind, entry.at) IS DISTINCT FROM (NEW.code, NEW.number::int, NEW.kind, NEW.published_at)
       OR NEW.number <> 1 + numbers_before
       OR incidents_stamps_of(NEW.document) IS DISTINCT FROM jsonb_build_object(
            'code', NEW.code,
            'version', NEW.number,
            'published_at', incidents_moment(entry.at),
            'previous_version', nullif(numbers_before, 0),
            'note', NEW.note,
            'cite', format('harmtracker, %s, version %s: %sPublished %s.', NEW.code, NEW.number,
                           (document->>'title') || '. ', to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD'))) THEN
        RAISE EXCEPTION 'The version does not follow the last one of %.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_follows';
    END IF;
    IF acting IS NULL OR NOT (SELECT is_active FROM accounts_user WHERE id = acting) THEN
        RAISE EXCEPTION 'Somebody publishes: nobody is set as acting.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_has_actor';
    END IF;
    IF NEW.kind = 'retracted' THEN
        IF acting = last.actor_id OR NOT incidents_may(acting, 'retract_incident') THEN
            RAISE EXCEPTION 'A retraction is confirmed by a second person.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_retraction_four_eyes';
        END IF;
        IF incidents_content_of(NEW.document) IS DISTINCT FROM
               format('{"record_type":"%s","retracted":true,"shape":1}', incident.record_type)
           OR NEW.note IS DISTINCT FROM last.reason THEN
            RAISE EXCEPTION 'A tombstone holds the reason that was proposed, and nothing of the record.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_tombstone_is_bare';
        END IF;
        RETURN NEW;
    END IF;
    IF incidents_content_of(NEW.document) IS DISTINCT FROM last.content THEN
        RAISE EXCEPTION 'What is published is what was verified, to the letter.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_is_what_was_verified';
    END IF;
    IF acting = incident.author_id OR NOT incidents_may(acting, 'publish_incident') THEN
        RAISE EXCEPTION 'The author of a record does not publish it, but a verifier.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_not_by_author';
    END IF;
    PERFORM incidents_hold_shared(incident.id);
    IF last.actor_id IN (SELECT incidents_editors(incident.id))
       OR NOT incidents_may(last.actor_id, 'verify_incident') THEN
        RAISE EXCEPTION 'A record is published on the word of a second, active person who edited none of it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_four_eyes';
    END IF;
    IF EXISTS (SELECT FROM incidents_dataset d WHERE d.id = incident.dataset_id AND NOT d.redistributable) THEN
        RAISE EXCEPTION 'The terms of the dataset that this record is from forbid giving it to others.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_redistributable';
    END IF;
    IF jsonb_path_exists(document, '$.victims[*] ? ((exists(@.names) || exists(@.age) || exists(@.claims)) && !(@.consent_basis.type() == "string"))') THEN
        RAISE EXCEPTION 'A name, an age or a source of it leaves only with a basis of consent.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_names_have_consent';
    END IF;
    IF NOT incident.point_already_public AND incidents_is_protected(incident.place_id) AND EXISTS (
        SELECT FROM (SELECT jsonb_path_query(document, '$.place.point')
                     UNION ALL SELECT jsonb_path_query(document, '$.claims[*].point')) AS given (point)
        WHERE (point->>'latitude')::numeric % 0.1 <> 0 OR (point->>'longitude')::numeric % 0.1 <> 0) THEN
        RAISE EXCEPTION 'The points of a protected place leave on a grid of 0.1 degree.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_protected_on_grid';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_publishedversion_guard BEFORE INSERT ON incidents_publishedversion
    FOR EACH ROW EXECUTE FUNCTION incidents_publish_guard();
"""

LEDGER = r"""
CREATE FUNCTION incidents_ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz;
BEGIN
    SELECT max(at) INTO before FROM incidents_ledgerentry WHERE seq = NEW.seq - 1;
    IF NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM incidents_ledgerentry) THEN
        RAISE EXCEPTION 'Ledger entries are numbered without gaps.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_ledgerentry_without_gaps';
    END IF;
    IF coalesce(current_setting('harmtracker.actor', true), '') = ''
       OR NEW.at < before OR NEW.at > clock_timestamp() OR NEW.at < now() - interval '1 hour'
       OR NEW.entry::jsonb IS DISTINCT FROM jsonb_build_object(
            'seq', NEW.seq, 'at', incidents_moment(NEW.at), 'kind', NEW.kind, 'code', NEW.code,
            'version', NEW.version, 'committed_sha256', NEW.committed_sha256) THEN
        RAISE EXCEPTION 'A ledger entry says what it is of, now, and somebody answers for it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_ledgerentry_is_true';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_ledgerentry_guard BEFORE INSERT ON incidents_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION incidents_ledger_guard();

-- At the end of the transaction each entry has its version, and the head has counted it.
CREATE FUNCTION incidents_ledger_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM incidents_publishedversion WHERE seq = NEW.seq)
       OR NOT EXISTS (SELECT FROM incidents_ledgerhead WHERE size >= NEW.seq) THEN
        RAISE EXCEPTION 'A ledger entry is of a version, and counted by the head.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_ledgerentry_is_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_ledgerentry_is_whole AFTER INSERT ON incidents_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION incidents_ledger_whole();

-- The head moves by one entry, and its edge is that of the RFC 6962 tree with that leaf.
CREATE FUNCTION incidents_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry incidents_ledgerentry%ROWTYPE;
    edge text[] := OLD.edge;
    node bytea;
    size bigint := OLD.size;
    root bytea;
    i int;
BEGIN
    SELECT * INTO entry FROM incidents_ledgerentry WHERE seq = (SELECT max(seq) FROM incidents_ledgerentry);
    node := decode(entry.leaf_hash, 'hex');
    WHILE size & 1 = 1 LOOP
        node := sha256('\x01'::bytea || decode(edge[cardinality(edge)], 'hex') || node);
        edge := trim_array(edge, 1);
        size := size >> 1;
    END LOOP;
    edge := edge || encode(node, 'hex');
    root := node;
    FOR i IN REVERSE cardinality(edge) - 1 .. 1 LOOP
        root := sha256('\x01'::bytea || decode(edge[i], 'hex') || root);
    END LOOP;
    IF NEW.size IS DISTINCT FROM OLD.size + 1 OR entry.seq IS DISTINCT FROM NEW.size
       OR NEW.edge::text[] IS DISTINCT FROM edge OR entry.root_hash IS DISTINCT FROM encode(root, 'hex') THEN
        RAISE EXCEPTION 'The head of the ledger follows from its entries.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_ledgerhead_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_ledgerhead_follows BEFORE UPDATE ON incidents_ledgerhead
    FOR EACH ROW EXECUTE FUNCTION incidents_head_guard();
INSERT INTO incidents_ledgerhead (id, size, edge) VALUES (1, 0, '{}');

CREATE FUNCTION incidents_counter_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('harmtracker.actor', true), '') = ''
       OR NEW.last <> (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE OLD.last + 1 END)
       OR TG_OP = 'UPDATE' AND (NEW.country, NEW.year) <> (OLD.country, OLD.year) THEN
        RAISE EXCEPTION 'Codes are counted one by one.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_codecounter_counts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_codecounter_counts BEFORE INSERT OR UPDATE ON incidents_codecounter
    FOR EACH ROW EXECUTE FUNCTION incidents_counter_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_four_eyes")]

    operations = [
        migrations.RunSQL(MOMENT, "DROP FUNCTION incidents_moment(timestamptz);"),
        migrations.RunSQL(
            LEDGER,
            "DROP TRIGGER incidents_codecounter_counts ON incidents_codecounter;"
            "DROP FUNCTION incidents_counter_guard();"
            "DELETE FROM incidents_ledgerhead;"
            "DROP TRIGGER incidents_ledgerhead_follows ON incidents_ledgerhead;"
            "DROP FUNCTION incidents_head_guard();"
            "DROP TRIGGER incidents_ledgerentry_is_whole ON incidents_ledgerentry;"
            "DROP FUNCTION incidents_ledger_whole();"
            "DROP TRIGGER incidents_ledgerentry_guard ON incidents_ledgerentry;"
            "DROP FUNCTION incidents_ledger_guard();",
        ),
        migrations.RunSQL(
            DOOR,
            "DROP TRIGGER incidents_publishedversion_guard ON incidents_publishedversion;"
            "DROP FUNCTION incidents_publish_guard();"
            "DROP FUNCTION incidents_is_protected(bigint);"
            "DROP FUNCTION incidents_stamps_of(text);"
            "DROP FUNCTION incidents_content_of(text);",
        ),
        check(
            "incidents_publishedversion", "incidents_publishedversion_hash",
            "sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex')",
        ),
        check(
            "incidents_ledgerentry", "incidents_ledgerentry_leaf_hash",
            r"leaf_hash = encode(sha256('\x00'::bytea || convert_to(entry, 'UTF8')), 'hex')",
        ),
        *(
            refuse(
                table, "UPDATE", "DELETE", "TRUNCATE", rule=f"{table}_only_grows",
                message="What was published stays: these rows only grow.",
            )
            for table in ("incidents_ledgerentry", "incidents_publishedversion")
        ),
    ]
