"""The rules that the database holds whichever way a write comes."""

from django.db import migrations

from harmtracker.history.sql import check, codes, foreign_key, refuse, track

# What makes up a record: an edit of any of these is an edit of the incident.
PARTS = [
    "incidents_furtherplace",
    "incidents_externalid",
    "incidents_incidentlink",
    "incidents_claim",
    "incidents_casualtycount",
    "incidents_countbasis",
    "incidents_weaponuse",
    "incidents_involvement",
    "incidents_victim",
    "incidents_victimclaim",
]

# Columns of an incident that steps of the workflow move; all the others are its content.
# The generated columns are left out because they follow from the date.
EDITED = """
CREATE FUNCTION incidents_content(incident jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN incident - '{state,code}'::text[];

CREATE FUNCTION incidents_edit(edited bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    -- The revision's row lock orders an edit and a verification that come at once.
    PERFORM FROM incidents_incidentrevision WHERE incident_id = ANY (edited)
        ORDER BY incident_id FOR UPDATE;
    UPDATE incidents_incidentrevision SET number = number + 1 WHERE incident_id = ANY (edited);
    SELECT i.id, i.state INTO one FROM incidents_incident i
        WHERE i.id = ANY (edited) AND i.state NOT IN ('draft', 'submitted') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The record is %, and its content stays as it is: return or reopen it first.', one.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_edited_as_draft';
    END IF;
END $$;

CREATE FUNCTION incidents_part_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_edit(array(SELECT DISTINCT incident_id FROM new_rows));
    RETURN NULL;
END $$;
CREATE FUNCTION incidents_part_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_edit(array(
        SELECT DISTINCT unnest(array[o.incident_id, n.incident_id])
        FROM old_rows o FULL JOIN new_rows n ON o.id = n.id
        WHERE to_jsonb(o) IS DISTINCT FROM to_jsonb(n)));
    RETURN NULL;
END $$;
CREATE FUNCTION incidents_part_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_edit(array(SELECT DISTINCT incident_id FROM old_rows));
    RETURN NULL;
END $$;
CREATE FUNCTION incidents_incident_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO incidents_incidentrevision (incident_id, number) SELECT id, 1 FROM new_rows;
    RETURN NULL;
END $$;
CREATE FUNCTION incidents_incident_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM incidents_edit(array(
        SELECT n.id FROM old_rows o JOIN new_rows n ON o.id = n.id
        WHERE incidents_content(to_jsonb(o)) IS DISTINCT FROM incidents_content(to_jsonb(n))));
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_incident_begins_revisions AFTER INSERT ON incidents_incident
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_incident_inserted();
CREATE TRIGGER incidents_incident_edited_update AFTER UPDATE ON incidents_incident
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION incidents_incident_updated();
"""
EDITED_BACK = """
DROP TRIGGER incidents_incident_edited_update ON incidents_incident;
DROP TRIGGER incidents_incident_begins_revisions ON incidents_incident;
DROP FUNCTION incidents_incident_updated();
DROP FUNCTION incidents_incident_inserted();
DROP FUNCTION incidents_part_deleted();
DROP FUNCTION incidents_part_updated();
DROP FUNCTION incidents_part_inserted();
DROP FUNCTION incidents_edit(bigint[]);
DROP FUNCTION incidents_content(jsonb);
"""


def edited(table):
    forward, backward = [], []
    for operation, past, tables in (
        ("INSERT", "inserted", "NEW TABLE AS new_rows"),
        ("UPDATE", "updated", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "deleted", "OLD TABLE AS old_rows"),
    ):
        name = f"{table}_edited_{operation.lower()}"
        forward.append(
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION incidents_part_{past}();"
        )
        backward.append(f"DROP TRIGGER {name} ON {table};")
    return migrations.RunSQL("\n".join(forward), "\n".join(backward))


# Who has had a hand in what the next version would say: the author, everyone who changed the
# record or a part of it since the last version, and everyone who, in that time, changed a place,
# actor, outlet or article that it refers to.
EDITORS = """
CREATE FUNCTION incidents_editors(incident bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE since AS (
        SELECT coalesce(
            max(id) FILTER (WHERE after->>'state' IN ('published', 'retracted')
                            AND before->>'state' IS DISTINCT FROM after->>'state'),
            min(id)) AS id
        FROM history_historyentry WHERE table_name = 'incidents_incident' AND row_id = incident
    ), used_places (id) AS (
        SELECT place_id FROM incidents_incident WHERE id = incident AND place_id IS NOT NULL
        UNION SELECT place_id FROM incidents_furtherplace WHERE incident_id = incident
        UNION SELECT p.parent_id FROM used_places u JOIN incidents_place p ON p.id = u.id
              WHERE p.parent_id IS NOT NULL
    ), used_actors (id) AS (
        SELECT attributed_actor_id FROM incidents_claim WHERE incident_id = incident AND attributed_actor_id IS NOT NULL
        UNION SELECT actor_id FROM incidents_involvement WHERE incident_id = incident
        UNION SELECT affiliation_id FROM incidents_casualtycount WHERE incident_id = incident AND affiliation_id IS NOT NULL
        UNION SELECT a.parent_id FROM used_actors u JOIN incidents_actor a ON a.id = u.id
              WHERE a.parent_id IS NOT NULL
    ), used_articles (id) AS (
        SELECT article_id FROM incidents_claim WHERE incident_id = incident
    ), used_outlets (id) AS (
        SELECT attributed_outlet_id FROM incidents_claim WHERE incident_id = incident AND attributed_outlet_id IS NOT NULL
        UNION SELECT a.outlet_id FROM sources_article a JOIN used_articles u ON a.id = u.id
    ), shared (table_name, row_id) AS (
        SELECT 'incidents_place', id FROM used_places
        UNION ALL SELECT 'incidents_actor', id FROM used_actors
        UNION ALL SELECT 'sources_article', id FROM used_articles
        UNION ALL SELECT 'sources_outlet', id FROM used_outlets
        UNION ALL SELECT 'incidents_dataset', dataset_id FROM incidents_incident WHERE id = incident AND dataset_id IS NOT NULL
    )
    SELECT author_id FROM incidents_incident WHERE id = incident
    UNION
    SELECT h.actor_id FROM history_historyentry h, since
    WHERE h.incident_id = incident AND h.id >= since.id
      AND NOT (h.operation = 'UPDATE' AND h.table_name = 'incidents_incident'
               AND incidents_content(h.before) = incidents_content(h.after))
    UNION
    SELECT h.actor_id FROM shared s JOIN history_historyentry h
        ON h.table_name = s.table_name AND h.row_id = s.row_id, since
    WHERE h.id >= since.id
$$;
"""

REVIEW = """
CREATE FUNCTION incidents_review_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    record_state text;
    revision_now bigint;
BEGIN
    IF NEW.actor_id IS DISTINCT FROM nullif(current_setting('harmtracker.actor', true), '')::bigint THEN
        RAISE EXCEPTION 'A step of the workflow is taken in one''s own name.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_in_own_name';
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
        IF NEW.actor_id IN (SELECT incidents_editors(NEW.incident_id)) THEN
            RAISE EXCEPTION 'A record is verified by a second person: neither its author nor anyone who edited it, or a place, actor, outlet or article that it names, since it was last published.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_four_eyes';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_review_guard BEFORE INSERT ON incidents_review
    FOR EACH ROW EXECUTE FUNCTION incidents_review_guard();
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

# The door, as the database holds it. The stamps are what publishing itself adds to the content.
DOOR = """
CREATE FUNCTION incidents_publish_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    incident incidents_incident%ROWTYPE;
    last incidents_review%ROWTYPE;
    revision_now bigint;
    document jsonb := NEW.document::jsonb;
    entry incidents_ledgerentry%ROWTYPE;
BEGIN
    SELECT * INTO incident FROM incidents_incident WHERE code = NEW.code FOR UPDATE;
    SELECT * INTO last FROM incidents_review WHERE incident_id = incident.id ORDER BY id DESC LIMIT 1;
    SELECT number INTO revision_now FROM incidents_incidentrevision WHERE incident_id = incident.id FOR UPDATE;
    SELECT * INTO entry FROM incidents_ledgerentry WHERE seq = NEW.seq;
    IF incident.id IS NULL OR last.id IS NULL OR last.revision IS DISTINCT FROM revision_now
       OR (incident.state, last.verb, NEW.kind) NOT IN (
            ('verified', 'verify', 'published'), ('published', 'propose_retraction', 'retracted')) THEN
        RAISE EXCEPTION 'Only a verified record can be published: there is no live review of %.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_has_live_review';
    END IF;
    IF (entry.code, entry.version, entry.kind) IS DISTINCT FROM (NEW.code, NEW.number::int, NEW.kind)
       OR NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM incidents_publishedversion WHERE code = NEW.code)
       OR document->>'code' IS DISTINCT FROM NEW.code
       OR (document->>'version')::int IS DISTINCT FROM NEW.number::int THEN
        RAISE EXCEPTION 'The version does not follow the last one of %.', NEW.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_follows';
    END IF;
    IF NEW.kind = 'retracted' THEN
        IF acting IS NULL OR acting = last.actor_id THEN
            RAISE EXCEPTION 'A retraction is confirmed by a second person.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_retraction_four_eyes';
        END IF;
        RETURN NEW;
    END IF;
    IF document - '{code,version,published_at,previous_version,note,cite}'::text[] IS DISTINCT FROM last.content::jsonb THEN
        RAISE EXCEPTION 'What is published is what was verified, to the letter.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_is_what_was_verified';
    END IF;
    IF acting IS NULL OR acting = incident.author_id THEN
        RAISE EXCEPTION 'The author of a record does not publish it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_not_by_author';
    END IF;
    IF last.actor_id IN (SELECT incidents_editors(incident.id))
       OR NOT (SELECT is_active FROM accounts_user WHERE id = last.actor_id) THEN
        RAISE EXCEPTION 'A record is published on the word of a second, active person who edited none of it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_four_eyes';
    END IF;
    IF EXISTS (SELECT FROM incidents_dataset d WHERE d.id = incident.dataset_id AND NOT d.redistributable) THEN
        RAISE EXCEPTION 'The terms of the dataset that this record is from forbid giving it to others.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_redistributable';
    END IF;
    IF jsonb_path_exists(document, '$.victims[*] ? ((exists(@.names) || exists(@.age)) && !(@.consent_basis.type() == "string"))') THEN
        RAISE EXCEPTION 'A name or an age leaves only with a basis of consent.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_names_have_consent';
    END IF;
    IF EXISTS (SELECT FROM incidents_place p WHERE p.id = incident.place_id AND p.protected)
       AND NOT incident.point_already_public
       AND (document #>> '{place,point,latitude}')::numeric IS NOT NULL
       AND ((document #>> '{place,point,latitude}')::numeric % 0.1 <> 0
            OR (document #>> '{place,point,longitude}')::numeric % 0.1 <> 0) THEN
        RAISE EXCEPTION 'The point of a protected place leaves on a grid of 0.1 degree.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_protected_on_grid';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_publishedversion_guard BEFORE INSERT ON incidents_publishedversion
    FOR EACH ROW EXECUTE FUNCTION incidents_publish_guard();

CREATE FUNCTION incidents_ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM incidents_ledgerentry) THEN
        RAISE EXCEPTION 'Ledger entries are numbered without gaps.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_ledgerentry_without_gaps';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_ledgerentry_guard BEFORE INSERT ON incidents_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION incidents_ledger_guard();
INSERT INTO incidents_ledgerhead (id, size, edge) VALUES (1, 0, '{}');
"""

KEPT = """
CREATE FUNCTION incidents_keep_once_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM incidents_incident i JOIN old_rows o ON i.id = o.incident_id
               WHERE i.code IS NOT NULL) THEN
        RAISE EXCEPTION 'What belongs to a record that was published is kept: correct it instead.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_kept_once_published';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_claim_kept_once_published AFTER DELETE ON incidents_claim
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_keep_once_published();
CREATE TRIGGER incidents_victim_kept_once_published AFTER DELETE ON incidents_victim
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_keep_once_published();
"""

# Checked at the end of the transaction, so that part and whole can be raised in either order.
PARTS_AND_WHOLES = """
CREATE FUNCTION incidents_covers(wide text, narrow text) RETURNS boolean
LANGUAGE sql STABLE RETURN wide = 'all' OR wide = narrow OR EXISTS (
    SELECT FROM harmtracker_code WHERE list = 'age_group' AND code = narrow AND parent = wide);

CREATE FUNCTION incidents_part_of_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT p.min AS part, w.max AS whole INTO bad
    FROM incidents_casualtycount w JOIN incidents_casualtycount p
        ON p.incident_id = w.incident_id AND p.claim_id IS NOT DISTINCT FROM w.claim_id
        AND p.outcome = w.outcome AND p.id <> w.id
    WHERE w.incident_id = NEW.incident_id AND w.claim_id IS NOT DISTINCT FROM NEW.claim_id
        AND w.outcome = NEW.outcome
        AND p.min > w.max
        AND incidents_covers(w.status, p.status) AND incidents_covers(w.role, p.role)
        AND incidents_covers(w.sex, p.sex) AND incidents_covers(w.age_group, p.age_group)
        AND (w.affiliation_id IS NULL OR w.affiliation_id = p.affiliation_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A part has at least % persons, its whole at most %.', bad.part, bad.whole
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_casualtycount_part_within_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_casualtycount_part_within_whole
    AFTER INSERT OR UPDATE ON incidents_casualtycount DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION incidents_part_of_whole();
"""

TREES = """
CREATE FUNCTION incidents_tree_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    looped boolean;
BEGIN
    EXECUTE format('WITH RECURSIVE up (id, parent_id) AS (
            SELECT id, parent_id FROM %1$I WHERE id = $1
            UNION SELECT t.id, t.parent_id FROM up JOIN %1$I t ON t.id = up.parent_id
        ) SELECT EXISTS (SELECT FROM up WHERE parent_id = $1)', TG_TABLE_NAME) INTO looped USING NEW.id;
    IF looped THEN
        RAISE EXCEPTION 'A record cannot lie within itself.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_is_a_tree';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_place_is_a_tree AFTER INSERT OR UPDATE OF parent_id ON incidents_place
    FOR EACH ROW EXECUTE FUNCTION incidents_tree_guard();
CREATE TRIGGER incidents_actor_is_a_tree AFTER INSERT OR UPDATE OF parent_id ON incidents_actor
    FOR EACH ROW EXECUTE FUNCTION incidents_tree_guard();

-- A township's code does not hold its district, but its first six characters are its state's.
CREATE FUNCTION incidents_pcode_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad text;
BEGIN
    WITH RECURSIVE down (id, pcode, level, state_code) AS (
        SELECT p.id, p.pcode, p.level,
               CASE p.level WHEN 'adm1' THEN p.pcode ELSE (
                   WITH RECURSIVE up (id, parent_id, level, pcode) AS (
                       SELECT id, parent_id, level, pcode FROM incidents_place WHERE id = p.parent_id
                       UNION SELECT q.id, q.parent_id, q.level, q.pcode
                       FROM up JOIN incidents_place q ON q.id = up.parent_id)
                   SELECT up.pcode FROM up WHERE up.level = 'adm1') END
        FROM incidents_place p WHERE p.id = NEW.id
        UNION
        SELECT c.id, c.pcode, c.level, CASE c.level WHEN 'adm1' THEN c.pcode ELSE down.state_code END
        FROM down JOIN incidents_place c ON c.parent_id = down.id
    )
    SELECT pcode INTO bad FROM down
        WHERE level IN ('adm2', 'adm3') AND left(pcode, 6) <> state_code LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'The first six characters of % are not the code of the state that it lies in.', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_place_pcode_of_its_state';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_place_pcode_of_its_state AFTER INSERT OR UPDATE OF pcode, parent_id, level
    ON incidents_place FOR EACH ROW EXECUTE FUNCTION incidents_pcode_guard();
"""

BUCKETS = """
CREATE FUNCTION incidents_bucket_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.bucket IS DISTINCT FROM (SELECT mappings->>'bucket' FROM harmtracker_code
                                    WHERE list = 'person_status' AND code = NEW.status) THEN
        RAISE EXCEPTION 'Persons of status % are not counted as %.', NEW.status, NEW.bucket
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedcasualty_bucket_of_status';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_publishedcasualty_bucket_of_status BEFORE INSERT OR UPDATE
    ON incidents_publishedcasualty FOR EACH ROW EXECUTE FUNCTION incidents_bucket_guard();
"""

NEVER_DELETED = "Nothing evidential is deleted."


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0001_initial"),
        ("sources", "0002_rules"),
        ("history", "0002_rules"),
        ("harmtracker", "0002_rules"),
    ]

    operations = [
        # History and actor
        *(
            track(table, "id" if table == "incidents_incident" else "incident_id")
            for table in ["incidents_incident", *PARTS, "incidents_reviewcomment"]
        ),
        *(track(table) for table in ("incidents_place", "incidents_actor", "incidents_dataset")),
        # Edits and revisions
        migrations.RunSQL(EDITED, EDITED_BACK),
        *(edited(table) for table in PARTS),
        # Codes
        codes("incidents_place", level="place_level"),
        codes("incidents_actor", kind="actor_kind"),
        codes(
            "incidents_incident",
            state="incident_state", record_type="record_type", time_kind="time_kind",
            point_basis="point_basis", place_precision="place_precision",
            circumstances="[]circumstance", harm_reported="harm_reported", grading="grading",
        ),
        codes("incidents_incidentlink", kind="link_kind"),
        codes("incidents_claim", kind="claim_kind", credibility="credibility"),
        codes(
            "incidents_casualtycount",
            outcome="outcome", status="person_status", role="person_role", sex="sex",
            age_group="age_group", qualifier="count_qualifier",
        ),
        codes("incidents_countbasis", bound="basis_bound"),
        codes("incidents_weaponuse", certainty="certainty", platform="platform"),
        codes("incidents_involvement", role="involvement_role", certainty="certainty"),
        codes(
            "incidents_victim",
            outcome="outcome", status="person_status", role="person_role", sex="sex",
            age_group="age_group", consent_basis="consent_basis",
        ),
        # Rows hang only on rows of their own incident
        foreign_key("incidents_casualtycount", "incidents_casualtycount_claim_of_incident",
                    "claim_id, incident_id", "incidents_claim", "id, incident_id"),
        foreign_key("incidents_weaponuse", "incidents_weaponuse_claim_of_incident",
                    "claim_id, incident_id", "incidents_claim", "id, incident_id"),
        foreign_key("incidents_involvement", "incidents_involvement_claim_of_incident",
                    "claim_id, incident_id", "incidents_claim", "id, incident_id"),
        foreign_key("incidents_countbasis", "incidents_countbasis_claim_of_incident",
                    "claim_id, incident_id", "incidents_claim", "id, incident_id"),
        foreign_key("incidents_countbasis", "incidents_countbasis_count_of_incident",
                    "count_id, incident_id", "incidents_casualtycount", "id, incident_id"),
        foreign_key("incidents_victimclaim", "incidents_victimclaim_claim_of_incident",
                    "claim_id, incident_id", "incidents_claim", "id, incident_id"),
        foreign_key("incidents_victimclaim", "incidents_victimclaim_victim_of_incident",
                    "victim_id, incident_id", "incidents_victim", "id, incident_id"),
        # Across rows
        migrations.RunSQL(
            PARTS_AND_WHOLES,
            "DROP TRIGGER incidents_casualtycount_part_within_whole ON incidents_casualtycount;"
            "DROP FUNCTION incidents_part_of_whole(); DROP FUNCTION incidents_covers(text, text);",
        ),
        migrations.RunSQL(
            TREES,
            "DROP TRIGGER incidents_place_pcode_of_its_state ON incidents_place;"
            "DROP TRIGGER incidents_place_is_a_tree ON incidents_place;"
            "DROP TRIGGER incidents_actor_is_a_tree ON incidents_actor;"
            "DROP FUNCTION incidents_pcode_guard(); DROP FUNCTION incidents_tree_guard();",
        ),
        check(
            "incidents_place", "incidents_place_pcode_of_myanmar",
            r"country <> 'MMR' OR pcode IS NULL OR pcode ~ CASE level WHEN 'country' THEN '^MMR$' "
            r"WHEN 'adm1' THEN '^MMR[0-9]{3}$' WHEN 'adm2' THEN '^MMR[0-9]{3}[DS][0-9]{3}$' "
            r"WHEN 'adm3' THEN '^MMR[0-9]{6}$' ELSE '^MMR' END",
        ),
        # The function refuses what is not EDTF; an incident's own date meets it in its columns.
        check(
            "incidents_claim", "incidents_claim_date_is_edtf",
            "date_said IS NULL OR edtf_precision(date_said) IS NOT NULL",
        ),
        # UTC+14: the first place on earth where it is a new day.
        check(
            "incidents_incident", "incidents_incident_date_not_in_the_future",
            "date_earliest <= (now() AT TIME ZONE 'UTC' + interval '14 hours')::date",
        ),
        check(
            "incidents_review", "incidents_review_content_hash",
            "content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')",
        ),
        # Four eyes and the door
        migrations.RunSQL(EDITORS, "DROP FUNCTION incidents_editors(bigint);"),
        migrations.RunSQL(
            REVIEW,
            "DROP TRIGGER incidents_review_guard ON incidents_review; DROP FUNCTION incidents_review_guard();",
        ),
        migrations.RunSQL(
            STATES,
            "DROP TRIGGER incidents_incident_state_guard ON incidents_incident; DROP FUNCTION incidents_state_guard();",
        ),
        migrations.RunSQL(
            DOOR,
            "DELETE FROM incidents_ledgerhead;"
            "DROP TRIGGER incidents_ledgerentry_guard ON incidents_ledgerentry; DROP FUNCTION incidents_ledger_guard();"
            "DROP TRIGGER incidents_publishedversion_guard ON incidents_publishedversion; DROP FUNCTION incidents_publish_guard();",
        ),
        check(
            "incidents_publishedversion", "incidents_publishedversion_hash",
            "sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex')",
        ),
        check(
            "incidents_ledgerentry", "incidents_ledgerentry_leaf_hash",
            r"leaf_hash = encode(sha256('\x00'::bytea || convert_to(entry, 'UTF8')), 'hex')",
        ),
        migrations.RunSQL(
            BUCKETS,
            "DROP TRIGGER incidents_publishedcasualty_bucket_of_status ON incidents_publishedcasualty;"
            "DROP FUNCTION incidents_bucket_guard();",
        ),
        # What stays
        migrations.RunSQL(
            KEPT,
            "DROP TRIGGER incidents_claim_kept_once_published ON incidents_claim;"
            "DROP TRIGGER incidents_victim_kept_once_published ON incidents_victim;"
            "DROP FUNCTION incidents_keep_once_published();",
        ),
        *(
            refuse(table, "DELETE", "TRUNCATE", rule=f"{table}_never_deleted", message=NEVER_DELETED)
            for table in ("incidents_incident", "incidents_place", "incidents_actor", "incidents_dataset")
        ),
        *(
            refuse(table, "TRUNCATE", rule=f"{table}_never_emptied", message=NEVER_DELETED)
            for table in [*PARTS, "incidents_reviewcomment"]
        ),
        *(
            refuse(
                table, "UPDATE", "DELETE", "TRUNCATE", rule=f"{table}_only_grows",
                message="What was said and published stays: these rows only grow.",
            )
            for table in ("incidents_review", "incidents_ledgerentry", "incidents_publishedversion")
        ),
    ]
