"""The rules that the database holds whichever way a write comes."""

from django.db import migrations

from harmtracker.history.sql import check, codes, foreign_key, in_own_name, refuse, track

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
    IF EXISTS (SELECT FROM old_rows o JOIN new_rows n ON o.id = n.id WHERE o.incident_id <> n.incident_id) THEN
        RAISE EXCEPTION 'What belongs to one record is not moved to another.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_stays_with_its_record';
    END IF;
    PERFORM incidents_edit(array(
        SELECT DISTINCT n.incident_id
        FROM old_rows o JOIN new_rows n ON o.id = n.id
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
        WHERE level IN ('adm2', 'adm3') AND left(pcode, 6) IS DISTINCT FROM state_code AND pcode IS NOT NULL LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'The first six characters of % are not the code of the state that it lies in.', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_place_pcode_of_its_state';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_place_pcode_of_its_state AFTER INSERT OR UPDATE OF pcode, parent_id, level
    ON incidents_place FOR EACH ROW EXECUTE FUNCTION incidents_pcode_guard();
"""

# How many revisions there were is not for anybody to say but the triggers.
REVISIONS = """
CREATE FUNCTION incidents_revision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> OLD.number + 1 OR NEW.incident_id <> OLD.incident_id
       OR coalesce(current_setting('harmtracker.actor', true), '') = '' THEN
        RAISE EXCEPTION 'A revision is the next one, by somebody''s edit.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incidentrevision_counts_edits';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_incidentrevision_counts_edits BEFORE UPDATE ON incidents_incidentrevision
    FOR EACH ROW EXECUTE FUNCTION incidents_revision_guard();
"""

# Two records that were each the duplicate of the other would both be gone from all totals.
DUPLICATES = """
CREATE FUNCTION incidents_duplicate_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE originals (id) AS (
            SELECT NEW.other_id
            UNION SELECT l.other_id FROM originals o JOIN incidents_incidentlink l ON l.incident_id = o.id
            WHERE l.kind IN ('duplicate_of', 'merged_into'))
        SELECT FROM originals WHERE id = NEW.incident_id
    ) THEN
        RAISE EXCEPTION 'The original of a duplicate cannot be its duplicate.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incidentlink_not_in_a_circle';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_incidentlink_not_in_a_circle AFTER INSERT OR UPDATE ON incidents_incidentlink
    FOR EACH ROW WHEN (NEW.kind IN ('duplicate_of', 'merged_into'))
    EXECUTE FUNCTION incidents_duplicate_guard();
"""

# A source's own count needs no basis: it is one.
BASES = """
CREATE FUNCTION incidents_basis_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM incidents_casualtycount c JOIN incidents_countbasis b ON b.count_id = c.id
               WHERE c.claim_id IS NOT NULL
               AND CASE TG_TABLE_NAME WHEN 'incidents_countbasis' THEN b.id ELSE c.id END = NEW.id) THEN
        RAISE EXCEPTION 'Only our own assessment has a basis; this count is a source''s.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_basis_of_assessment';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_countbasis_basis_of_assessment AFTER INSERT OR UPDATE ON incidents_countbasis
    FOR EACH ROW EXECUTE FUNCTION incidents_basis_guard();
CREATE TRIGGER incidents_casualtycount_basis_of_assessment AFTER UPDATE OF claim_id ON incidents_casualtycount
    FOR EACH ROW EXECUTE FUNCTION incidents_basis_guard();
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
        migrations.RunSQL(
            REVISIONS,
            "DROP TRIGGER incidents_incidentrevision_counts_edits ON incidents_incidentrevision;"
            "DROP FUNCTION incidents_revision_guard();",
        ),
        migrations.RunSQL(
            DUPLICATES,
            "DROP TRIGGER incidents_incidentlink_not_in_a_circle ON incidents_incidentlink;"
            "DROP FUNCTION incidents_duplicate_guard();",
        ),
        migrations.RunSQL(
            BASES,
            "DROP TRIGGER incidents_countbasis_basis_of_assessment ON incidents_countbasis;"
            "DROP TRIGGER incidents_casualtycount_basis_of_assessment ON incidents_casualtycount;"
            "DROP FUNCTION incidents_basis_guard();",
        ),
        in_own_name("incidents_incident", "author_id"),
        in_own_name("incidents_reviewcomment", "author_id"),
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
    ]
