"""Two records that are one: parts that move between them, and the record that ends."""

import uuid
from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from harmtracker.history.sql import in_own_name, refuse, track

FIRST = import_module("incidents.migrations.0002_rules")
FOUR_EYES = import_module("incidents.migrations.0003_four_eyes")
REDACTION = import_module("incidents.migrations.0005_redaction")
function, changed = REDACTION.function, REDACTION.changed

MERGES = """
CREATE FUNCTION incidents_may_move(origin bigint, destination bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM incidents_merge m WHERE CASE WHEN m.undone_at IS NULL
            THEN (m.source_id, m.target_id) = (origin, destination) AND m.begun_in = pg_current_xact_id()::text::bigint
            ELSE (m.target_id, m.source_id) = (origin, destination) AND m.undone_in = pg_current_xact_id()::text::bigint END)
$$;

CREATE FUNCTION incidents_merge_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    source incidents_incident%ROWTYPE;
    target incidents_incident%ROWTYPE;
BEGIN
    -- Nobody moves either record on meanwhile.
    PERFORM FROM incidents_incident WHERE id IN (NEW.source_id, NEW.target_id) ORDER BY id FOR NO KEY UPDATE;
    SELECT * INTO source FROM incidents_incident WHERE id = NEW.source_id;
    SELECT * INTO target FROM incidents_incident WHERE id = NEW.target_id;
    IF TG_OP = 'INSERT' THEN
        NEW.at := clock_timestamp();
        NEW.begun_in := pg_current_xact_id()::text::bigint;
        IF NOT incidents_may(acting, 'merge_incident') THEN
            RAISE EXCEPTION 'You may not merge incidents.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_by_who_may';
        END IF;
        IF source.state IS DISTINCT FROM 'draft' OR target.state IS DISTINCT FROM 'draft'
           OR NEW.undone_at IS NOT NULL OR NEW.completed_seq IS NOT NULL THEN
            RAISE EXCEPTION 'A draft is merged into a draft.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_of_drafts';
        END IF;
        IF EXISTS (SELECT FROM incidents_merge m WHERE m.undone_at IS NULL AND m.completed_seq IS NULL
                   AND (m.source_id IN (NEW.source_id, NEW.target_id) OR m.target_id IN (NEW.source_id, NEW.target_id))) THEN
            RAISE EXCEPTION 'One of the two is being merged already: publish or undo that first.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_one_at_a_time';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.undone_at IS NOT NULL OR OLD.completed_seq IS NOT NULL
       OR NEW.undone_at IS NOT NULL AND NEW.completed_seq IS NOT NULL
       OR to_jsonb(NEW) - '{undone_at,undone_by_id,undone_reason,undone_in,completed_seq}'::text[]
          IS DISTINCT FROM to_jsonb(OLD) - '{undone_at,undone_by_id,undone_reason,undone_in,completed_seq}'::text[]
       OR NEW.undone_at IS NULL AND (NEW.undone_by_id, NEW.undone_reason, NEW.undone_in)
          IS DISTINCT FROM (OLD.undone_by_id, OLD.undone_reason, OLD.undone_in) THEN
        RAISE EXCEPTION 'A merge is undone or completed, once, and otherwise stays as it was.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_stays';
    END IF;
    IF NEW.undone_at IS NOT NULL THEN
        NEW.undone_at := clock_timestamp();
        NEW.undone_in := pg_current_xact_id()::text::bigint;
        IF NEW.undone_by_id IS DISTINCT FROM acting OR NOT incidents_may(acting, 'merge_incident') THEN
            RAISE EXCEPTION 'A merge is undone in one''s own name, by who may merge.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_undone_by_who_may';
        END IF;
        IF target.state <> 'draft' THEN
            RAISE EXCEPTION 'The other record is %: return it before the merge is undone.', target.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_undone_as_draft';
        END IF;
    END IF;
    -- A version that was published while the merge was open is the one that holds the parts.
    IF NEW.completed_seq IS NOT NULL AND NOT EXISTS (
        SELECT FROM incidents_publishedversion v
        WHERE v.seq = NEW.completed_seq AND v.code = target.code AND v.kind = 'published' AND v.published_at > NEW.at
            AND v.seq = (SELECT max(w.seq) FROM incidents_publishedversion w WHERE w.code = target.code)) THEN
        RAISE EXCEPTION 'A merge is completed by the version of the other record that holds the parts.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_completed_by_version';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_merge_guard BEFORE INSERT OR UPDATE ON incidents_merge
    FOR EACH ROW EXECUTE FUNCTION incidents_merge_guard();

-- At the end of the transaction the records say the same as the merge.
CREATE FUNCTION incidents_merge_done() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    merge incidents_merge%ROWTYPE;
    is_linked boolean;
BEGIN
    SELECT * INTO merge FROM incidents_merge WHERE id = NEW.id;
    is_linked := EXISTS (SELECT FROM incidents_incidentlink l
        WHERE (l.incident_id, l.other_id, l.kind) = (merge.source_id, merge.target_id, 'merged_into'));
    IF is_linked IS DISTINCT FROM (merge.undone_at IS NULL)
       OR merge.completed_seq IS NOT NULL
          AND (SELECT state FROM incidents_incident WHERE id = merge.source_id) <> 'merged' THEN
        RAISE EXCEPTION 'A merge is carried out or undone as a whole.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_merge_carried_out';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_merge_carried_out AFTER INSERT OR UPDATE ON incidents_merge
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION incidents_merge_done();

-- What was merged into a record ends with the version that holds it, in one transaction.
CREATE FUNCTION incidents_merges_completed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM incidents_merge m JOIN incidents_incident t ON t.id = m.target_id
               WHERE t.code = NEW.code AND m.undone_at IS NULL AND m.completed_seq IS NULL) THEN
        RAISE EXCEPTION 'A record that was merged into this one ends with its publication.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_completes_merges';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_publishedversion_completes_merges AFTER INSERT ON incidents_publishedversion
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'published')
    EXECUTE FUNCTION incidents_merges_completed();
"""
MERGES_BACK = """
DROP TRIGGER incidents_publishedversion_completes_merges ON incidents_publishedversion;
DROP FUNCTION incidents_merges_completed();
DROP TRIGGER incidents_merge_carried_out ON incidents_merge;
DROP FUNCTION incidents_merge_done();
DROP TRIGGER incidents_merge_guard ON incidents_merge;
DROP FUNCTION incidents_merge_guard();
DROP FUNCTION incidents_may_move(bigint, bigint);
"""

# A part moves with a merge alone, and both records are edited by it.
MOVED = (
    changed(
        function("incidents_part_updated", FIRST.EDITED),
        (
            "WHERE o.incident_id <> n.incident_id)",
            "WHERE o.incident_id <> n.incident_id\n"
            "               AND NOT incidents_may_move(o.incident_id, n.incident_id))",
        ),
        (
            "        SELECT DISTINCT n.incident_id\n        FROM old_rows o JOIN new_rows n ON o.id = n.id\n",
            "        SELECT DISTINCT edited\n"
            "        FROM old_rows o JOIN new_rows n ON o.id = n.id,\n"
            "            LATERAL (VALUES (o.incident_id), (n.incident_id)) AS both_records (edited)\n",
        ),
    ),
    function("incidents_part_updated", FIRST.EDITED),
)
# While a merge can be undone, the record that is to end stays as the merge left it.
EDIT = (
    changed(
        function("incidents_edit", FIRST.EDITED),
        (
            "    SELECT i.id, i.state INTO one",
            """    IF EXISTS (SELECT FROM incidents_merge m WHERE m.source_id = ANY (edited)
               AND m.undone_at IS NULL AND m.completed_seq IS NULL
               AND m.begun_in <> pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'The record is being merged into another: undo the merge first.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_being_merged';
    END IF;
    SELECT i.id, i.state INTO one""",
        ),
    ),
    function("incidents_edit", FIRST.EDITED),
)
# What came from a record that was published is kept where it is now.
KEEP = (
    changed(
        function("incidents_keep_once_published", FIRST.KEPT),
        (
            "               WHERE i.code IS NOT NULL) THEN",
            "               WHERE i.code IS NOT NULL)\n"
            "       OR EXISTS (SELECT FROM old_rows o JOIN incidents_merge m ON m.target_id = o.incident_id\n"
            "                  JOIN incidents_incident s ON s.id = m.source_id\n"
            "                  WHERE m.undone_at IS NULL AND s.code IS NOT NULL\n"
            "                    AND m.moved->TG_TABLE_NAME::text @> to_jsonb(o.id)) THEN",
        ),
    ),
    function("incidents_keep_once_published", FIRST.KEPT),
)
REDACTED_TEXTS = (
    """
CREATE OR REPLACE FUNCTION incidents_redacted_texts(incident bigint) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE records (id) AS (
        SELECT incident
        UNION SELECT m.source_id FROM records r JOIN incidents_merge m ON m.target_id = r.id WHERE m.undone_at IS NULL)
    SELECT text FROM incidents_redactedtext WHERE incident_id IS NULL OR incident_id IN (SELECT id FROM records)
$$;
""",
    function("incidents_redacted_texts", REDACTION.HELD),
)
# Whoever wrote or edited what is merged into a record has a hand in what it will say; so has, in
# the record that is given back, whoever edited its parts while they were elsewhere.
EDITORS = (
    """
CREATE OR REPLACE FUNCTION incidents_editors(incident bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH records AS (
        SELECT incident AS id
        UNION SELECT source_id FROM incidents_merge
            WHERE target_id = incident AND undone_at IS NULL AND completed_seq IS NULL
    ), since AS (
        SELECT r.id, (
            SELECT coalesce(
                max(h.id) FILTER (WHERE after->>'state' = 'published'
                                  AND before->>'state' = 'verified'),
                min(h.id))
            FROM history_historyentry h WHERE h.table_name = 'incidents_incident' AND h.row_id = r.id
        ) AS entry
        FROM records r
    ), entries AS (
        SELECT h.* FROM since s JOIN history_historyentry h ON h.incident_id = s.id AND h.id >= s.entry
        UNION ALL
        SELECT h.* FROM since s JOIN incidents_merge m ON m.source_id = s.id AND m.undone_at IS NOT NULL
        JOIN history_historyentry h ON h.incident_id = m.target_id AND h.id >= s.entry
            AND h.at BETWEEN m.at AND m.undone_at
    )
    SELECT author_id FROM incidents_incident WHERE id IN (SELECT id FROM records)
    UNION
    SELECT h.actor_id FROM entries h
    WHERE h.table_name NOT IN ('incidents_reviewcomment', 'incidents_redactedtext')
      AND (h.operation = 'UPDATE' AND h.table_name = 'incidents_incident'
           AND incidents_content(h.before) = incidents_content(h.after)) IS NOT TRUE
    UNION
    SELECT h.actor_id FROM records r CROSS JOIN LATERAL incidents_shared(r.id) s
    JOIN history_historyentry h ON h.table_name = s.table_name AND h.row_id = s.row_id
    WHERE h.id >= (SELECT min(entry) FROM since)
$$;
""",
    REDACTION.WHO_EDITED,
)
REVIEW = (
    changed(
        function("incidents_is_of_record", FOUR_EYES.REVIEW),
        (
            "        AND NOT EXISTS (\n            SELECT FROM jsonb_array_elements(content->'victims') w",
            """        AND coalesce((SELECT jsonb_agg(s.code ORDER BY s.code COLLATE "C")
                      FROM incidents_merge m JOIN incidents_incident s ON s.id = m.source_id
                      WHERE m.target_id = i.id AND m.undone_at IS NULL AND s.code IS NOT NULL), '[]')
            IS NOT DISTINCT FROM content->'merged_from'
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(content->'victims') w""",
        ),
    ),
    function("incidents_is_of_record", FOUR_EYES.REVIEW),
)
# The step by which a duplicate ends is that of whoever publishes the other record.
BY_WHOM = (
    changed(
        function("incidents_review_guard", FOUR_EYES.REVIEW),
        (
            "CASE WHEN NEW.verb LIKE '%retract%' THEN 'retract' ELSE NEW.verb END",
            "CASE WHEN NEW.verb LIKE '%retract%' THEN 'retract' WHEN NEW.verb = 'merge' THEN 'publish' ELSE NEW.verb END",
        ),
    ),
    function("incidents_review_guard", FOUR_EYES.REVIEW),
)
STATES = (
    changed(
        function("incidents_state_guard", FOUR_EYES.STATES),
        (
            "    IF NEW.state IS DISTINCT FROM OLD.state THEN\n",
            """    IF NEW.state IS DISTINCT FROM OLD.state THEN
        IF EXISTS (SELECT FROM incidents_merge m
                   WHERE m.source_id = NEW.id AND m.undone_at IS NULL AND m.completed_seq IS NULL) THEN
            RAISE EXCEPTION 'The record is being merged into another: undo the merge first.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_being_merged';
        END IF;
""",
        ),
        (
            "                ('published', 'retracted', 'retract')) THEN",
            "                ('published', 'retracted', 'retract'),\n"
            "                ('draft', 'merged', 'merge')) THEN",
        ),
        (
            "        IF NEW.state IN ('published', 'retracted') AND NOT EXISTS (",
            """        IF NEW.state = 'merged' AND NOT EXISTS (
            SELECT FROM incidents_merge m WHERE m.source_id = NEW.id AND m.completed_seq IS NOT NULL) THEN
            RAISE EXCEPTION 'A record ends in another by a merge that was published.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_incident_merged_by_merge';
        END IF;
        IF (NEW.state IN ('published', 'retracted') OR NEW.state = 'merged' AND NEW.code IS NOT NULL) AND NOT EXISTS (""",
        ),
    ),
    function("incidents_state_guard", FOUR_EYES.STATES),
)
# A version that leads to another record holds that one's code and nothing of its own, and comes
# with the version of the other that names it. An earlier one cannot be meant: its transaction
# completed every merge that it names.
PUBLISH = (
    changed(
        REDACTION.PUBLISH,
        ("    numbers_before int;\n", "    numbers_before int;\n    original text;\n"),
        (
            "    IF incident.id IS NULL OR last.id IS NULL",
            """    IF NEW.kind = 'merged' THEN
        SELECT t.code INTO original FROM incidents_merge m JOIN incidents_incident t ON t.id = m.target_id
            WHERE m.source_id = incident.id AND m.undone_at IS NULL AND m.completed_seq IS NULL;
        IF original IS NULL OR NOT incidents_may(acting, 'publish_incident') OR NOT EXISTS (
            SELECT FROM incidents_publishedversion v
            WHERE v.code = original AND v.kind = 'published' AND v.document::jsonb->'merged_from' ? NEW.code
                AND v.seq = (SELECT max(w.seq) FROM incidents_publishedversion w WHERE w.code = original)) THEN
            RAISE EXCEPTION 'A record ends in another together with that one''s publication.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_merged_with_original';
        END IF;
    ELSIF incident.id IS NULL OR last.id IS NULL""",
        ),
        (
            "    IF incidents_holds_redacted(incident.id, document) THEN\n",
            """    IF NEW.kind = 'merged' THEN
        IF incidents_content_of(NEW.document) IS DISTINCT FROM
               format('{"merged_into":"%s","record_type":"%s","shape":1}', original, incident.record_type)
           OR NEW.note IS DISTINCT FROM format('Merged into %s.', original) THEN
            RAISE EXCEPTION 'What is left of a merged record says where it went, and nothing else.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_merged_is_bare';
        END IF;
        RETURN NEW;
    END IF;
    IF incidents_holds_redacted(incident.id, document) THEN
""",
        ),
    ),
    REDACTION.PUBLISH,
)


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0005_redaction"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="incident",
            options={"ordering": ["-pk"], "permissions": [("submit_incident", "Can submit an incident for review"), ("return_incident", "Can return an incident to its author"), ("verify_incident", "Can verify an incident"), ("publish_incident", "Can publish a verified incident"), ("reopen_incident", "Can reopen a published incident"), ("retract_incident", "Can retract a published incident"), ("redact_incident", "Can take a text out of what was published"), ("merge_incident", "Can merge a record into another")]},
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=[("published", "Published"), ("retracted", "Retracted"), ("merged", "Merged"), ("redacted", "Redacted")], help_text="What was done.", max_length=20),
        ),
        migrations.AlterField(
            model_name="publishedversion",
            name="kind",
            field=models.CharField(choices=[("published", "Published"), ("retracted", "Retracted"), ("merged", "Merged"), ("redacted", "Redacted")], max_length=20),
        ),
        migrations.AlterField(
            model_name="review",
            name="verb",
            field=models.CharField(choices=[("submit", "Submit"), ("return", "Return"), ("verify", "Verify"), ("publish", "Publish"), ("reopen", "Reopen"), ("propose_retraction", "Propose Retraction"), ("retract", "Retract"), ("merge", "Merge")], help_text="What was done.", max_length=20),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("reason", models.TextField(help_text="Why the two are one. For the team.")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("moved", models.JSONField(help_text="Table -> ids of the rows that were moved.")),
                ("removed", models.JSONField(help_text="Table -> rows that were removed, as they were.")),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_reason", models.TextField(blank=True, help_text="Why it was undone.")),
                ("completed_seq", models.BigIntegerField(help_text="Ledger position of the target's version that completed it.", null=True)),
                ("begun_in", models.BigIntegerField(default=0, editable=False)),
                ("undone_in", models.BigIntegerField(editable=False, null=True)),
                ("actor", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("source", models.ForeignKey(help_text="The duplicate, which ends.", on_delete=django.db.models.deletion.PROTECT, related_name="merges_away", to="incidents.incident")),
                ("target", models.ForeignKey(help_text="The record that stays.", on_delete=django.db.models.deletion.PROTECT, related_name="merges_in", to="incidents.incident")),
                ("undone_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [models.CheckConstraint(condition=models.Q(("source", models.F("target")), _negated=True), name="incidents_merge_not_into_itself", violation_error_message="A record cannot be merged into itself."), models.CheckConstraint(condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("undone_at__isnull", True), models.Q(("undone_reason", ""), _negated=True), _connector="OR")), name="incidents_merge_says_why", violation_error_message="Say why.")],
            },
        ),
        migrations.RunSQL(MERGES, MERGES_BACK),
        *(
            migrations.RunSQL(new, old)
            for new, old in (
                MOVED, EDIT, KEEP, REDACTED_TEXTS, EDITORS, REVIEW, BY_WHOM, STATES, PUBLISH,
            )
        ),
        track("incidents_merge"),
        in_own_name("incidents_merge", "actor_id"),
        refuse(
            "incidents_merge", "DELETE", "TRUNCATE", rule="incidents_merge_never_deleted",
            message="Nothing evidential is deleted.",
        ),
    ]
