"""Taking a text out of what was published: the one way in which a version ever changes."""

import re
from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from harmtracker.history.sql import in_own_name, refuse, track

DOOR = import_module("incidents.migrations.0004_door").DOOR
LEDGER = import_module("incidents.migrations.0004_door").LEDGER
EDITORS = import_module("incidents.migrations.0003_four_eyes").EDITORS


def function(name, source):
    """One function out of the SQL of an earlier migration, to be put back or built on."""
    found = re.search(rf"CREATE FUNCTION {name}\(.*?\n(?:END )?\$\$;", source, re.DOTALL)
    return found[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def changed(source, *changes):
    """The source with each (before, after) put in place; each must be there once."""
    for before, after in changes:
        assert source.count(before) == 1, before
        source = source.replace(before, after)
    return source


# A document is content and seven stamps: the seventh is random, and leaves with every redaction, so
# that not even a hash of the whole document that somebody wrote down can be tested against guesses.
SIX = "('code', 'version', 'published_at', 'previous_version', 'note', 'cite')"
SEVEN = "('code', 'version', 'published_at', 'previous_version', 'note', 'cite', 'nonce')"
STAMPS = [
    (
        changed(function("incidents_content_of", DOOR), (SIX, SEVEN)),
        function("incidents_content_of", DOOR),
    ),
    (
        changed(function("incidents_stamps_of", DOOR), (SIX, SEVEN), ("count(*) = 6", "count(*) = 7")),
        function("incidents_stamps_of", DOOR),
    ),
]

# What may have to leave; `cite` is left out because all of it but the title is the same everywhere.
HELD = r"""
CREATE FUNCTION incidents_is_redactable(key text, value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT key IN ('title', 'summary', 'name', 'names', 'age', 'point', 'point_note', 'rationale', 'reason',
        'reported_text', 'speaker', 'paraphrase', 'quotation', 'locator', 'time', 'note', 'url', 'copy_url',
        'independence_group', 'value', 'dataset', 'attribution')
        OR key IN ('place', 'date') AND jsonb_typeof(value) = 'string'
$$;

-- The texts that may not leave in a record.
CREATE FUNCTION incidents_redacted_texts(incident bigint) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT text FROM incidents_redactedtext WHERE incident_id IS NULL OR incident_id = incident
$$;

CREATE FUNCTION incidents_holds_redacted(incident bigint, document jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM incidents_redacted_texts(incident) AS redacted (words),
            jsonb_path_query(document, 'strict $.** ? (@.type() == "object").keyvalue()') AS pair
        WHERE incidents_is_redactable(pair->>'key', pair->'value')
            AND strpos(pair->>'value', redacted.words) > 0)
$$;
"""
HELD_BACK = """
DROP FUNCTION incidents_holds_redacted(bigint, jsonb);
DROP FUNCTION incidents_redacted_texts(bigint);
DROP FUNCTION incidents_is_redactable(text, jsonb);
"""

PUBLISH = changed(
    function("incidents_publish_guard", DOOR),
    (
        "'note', NEW.note,",
        "'note', NEW.note,\n            'nonce', document->'nonce',",
    ),
    (
        "       OR NEW.number <> 1 + numbers_before\n",
        "       OR NEW.number <> 1 + numbers_before\n"
        "       OR coalesce(document->>'nonce', '') !~ '^[A-Za-z0-9_-]{43}$'\n",
    ),
    (
        "    IF NEW.kind = 'retracted' THEN\n",
        """    IF incidents_holds_redacted(incident.id, document) THEN
        RAISE EXCEPTION 'It holds a text that was taken out of what was published.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_holds_no_redacted_text';
    END IF;
    IF NEW.kind = 'retracted' THEN
""",
    ),
)

# A redaction keeps the commitments of its version, so that its entry repeats their hash.
WHOLE = changed(
    function("incidents_ledger_whole", LEDGER),
    (
        "    IF NOT EXISTS (SELECT FROM incidents_publishedversion WHERE seq = NEW.seq)\n",
        "    IF NOT EXISTS (SELECT FROM incidents_publishedversion WHERE seq = NEW.seq AND NEW.kind <> 'redacted'\n"
        "                   UNION ALL SELECT FROM incidents_redaction WHERE seq = NEW.seq AND NEW.kind = 'redacted')\n",
    ),
    (
        "'A ledger entry is of a version, and counted by the head.'",
        "'A ledger entry is of a version or of a redaction, and counted by the head.'",
    ),
)

# Remembering what may not leave is no edit of the record.
WHO_EDITED = changed(
    function("incidents_editors", EDITORS),
    (
        "h.table_name <> 'incidents_reviewcomment'",
        "h.table_name NOT IN ('incidents_reviewcomment', 'incidents_redactedtext')",
    ),
)

# The stored text of a document with null at each path that was taken, and the list of redactions one
# longer. Built from the text, which keeps every other byte: jsonb would hide a key that stands twice.
REDACTED = """
CREATE FUNCTION incidents_below(paths jsonb, step jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(path - 0), '[]') FROM jsonb_array_elements(paths) AS path WHERE path->0 = step
$$;

CREATE FUNCTION incidents_nulled(value json, paths jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF paths = '[]' THEN
        RETURN value::text;
    ELSIF EXISTS (SELECT FROM jsonb_array_elements(paths) AS path WHERE path = '[]') THEN
        RETURN 'null';
    ELSIF json_typeof(value) = 'object' THEN
        RETURN (SELECT '{' || string_agg(to_json(key)::text || ':' || incidents_nulled(inside, incidents_below(paths, to_jsonb(key))),
                                         ',' ORDER BY position) || '}'
                FROM json_each(value) WITH ORDINALITY AS part (key, inside, position));
    ELSIF json_typeof(value) = 'array' THEN
        RETURN (SELECT '[' || string_agg(incidents_nulled(inside, incidents_below(paths, to_jsonb(position - 1))),
                                         ',' ORDER BY position) || ']'
                FROM json_array_elements(value) WITH ORDINALITY AS part (inside, position));
    END IF;
    RETURN value::text;
END $$;

CREATE FUNCTION incidents_paths(taken text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(one->0), '[]') FROM jsonb_array_elements(taken::jsonb) AS one
$$;

CREATE FUNCTION incidents_redacted(document text, taken text, reason text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH redactions (line) AS (
        SELECT string_agg(line, ',' ORDER BY age, position) FROM (
            SELECT 1 AS age, position, one::text AS line
            FROM json_array_elements(coalesce(document::json->'redactions', '[]')) WITH ORDINALITY AS r (one, position)
            UNION ALL
            SELECT 2, position, '{"digest":' || (one->1)::text || ',"path":' || (one->0)::text || ',"reason":' || to_json(reason)::text || '}'
            FROM json_array_elements(taken::json) WITH ORDINALITY AS r (one, position)) AS lines
    )
    SELECT '{' || string_agg(to_json(key)::text || ':' || inside, ',' ORDER BY key COLLATE "C") || '}' FROM (
        SELECT key, inside::text FROM json_each(incidents_nulled(document::json, incidents_paths(taken))::json) AS part (key, inside)
            WHERE key <> 'redactions'
        UNION ALL SELECT 'redactions', '[' || line || ']' FROM redactions) AS parts
$$;

CREATE FUNCTION incidents_disclosures_kept(disclosures text, taken text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT '[' || coalesce(string_agg(one::text, ',' ORDER BY position), '') || ']'
    FROM json_array_elements(disclosures::json) WITH ORDINALITY AS d (one, position)
    WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(incidents_paths(taken)) AS path WHERE path = (one->1)::jsonb)
$$;

-- Whether a list of [path, digest] is of values that a version holds, each as it was committed to,
-- its nonce among them.
CREATE FUNCTION incidents_can_be_taken(disclosures text, taken text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    WITH held AS (
        SELECT (one->1)::jsonb AS path, encode(sha256(convert_to(one::text, 'UTF8')), 'hex') AS digest
        FROM json_array_elements(disclosures::json) AS one
    ), asked AS (
        SELECT one->0 AS path, one->>1 AS digest FROM jsonb_array_elements(taken::jsonb) AS one
    )
    SELECT EXISTS (SELECT FROM asked)
        AND (SELECT count(*) = count(DISTINCT path) FROM asked)
        AND NOT EXISTS (SELECT FROM asked a WHERE NOT EXISTS (
            SELECT FROM held h WHERE (h.path, h.digest) = (a.path, a.digest)))
        AND NOT EXISTS (SELECT FROM held h WHERE h.path = '["nonce"]' AND h.path NOT IN (SELECT path FROM asked))
$$;
"""
REDACTED_BACK = """
DROP FUNCTION incidents_can_be_taken(text, text);
DROP FUNCTION incidents_disclosures_kept(text, text);
DROP FUNCTION incidents_redacted(text, text, text);
DROP FUNCTION incidents_paths(text);
DROP FUNCTION incidents_nulled(json, jsonb);
DROP FUNCTION incidents_below(jsonb, jsonb);
"""

GUARDS = """
CREATE FUNCTION incidents_redaction_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    entry incidents_ledgerentry%ROWTYPE;
    version incidents_publishedversion%ROWTYPE;
    own incidents_ledgerentry%ROWTYPE;
BEGIN
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    IF acting IS NULL OR NOT incidents_may(acting, 'redact_incident') THEN
        RAISE EXCEPTION 'You may not take texts out of what was published.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_redaction_by_who_may';
    END IF;
    SELECT * INTO entry FROM incidents_ledgerentry WHERE seq = NEW.seq;
    SELECT * INTO version FROM incidents_publishedversion WHERE code = NEW.code AND number = NEW.number;
    SELECT * INTO own FROM incidents_ledgerentry WHERE seq = version.seq;
    IF (entry.code, entry.version, entry.kind, entry.committed_sha256)
        IS DISTINCT FROM (own.code, own.version, 'redacted', own.committed_sha256) THEN
        RAISE EXCEPTION 'A redaction is of a version, whose commitments stay as they are.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_redaction_of_a_version';
    END IF;
    IF NOT incidents_can_be_taken(version.disclosures, NEW.taken) THEN
        RAISE EXCEPTION 'What is taken out is what the version holds, its nonce included.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_redaction_of_what_is_there';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_redaction_guard BEFORE INSERT ON incidents_redaction
    FOR EACH ROW EXECUTE FUNCTION incidents_redaction_guard();

-- At the end of the transaction the values are gone from the version.
CREATE FUNCTION incidents_redaction_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM incidents_publishedversion v, jsonb_array_elements(incidents_paths(NEW.taken)) AS path
        WHERE v.code = NEW.code AND v.number = NEW.number
            AND NOT EXISTS (SELECT FROM jsonb_array_elements(v.document::jsonb->'redactions') AS one
                            WHERE one->'path' = path)
    ) THEN
        RAISE EXCEPTION 'A redaction takes out what it names.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_redaction_carried_out';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_redaction_carried_out AFTER INSERT ON incidents_redaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION incidents_redaction_done();

CREATE FUNCTION incidents_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    redaction incidents_redaction%ROWTYPE;
BEGIN
    SELECT * INTO redaction FROM incidents_redaction
        WHERE code = OLD.code AND number = OLD.number AND transaction_id = pg_current_xact_id()::text::bigint
        ORDER BY seq DESC LIMIT 1;
    IF redaction.seq IS NULL OR acting IS NULL OR NOT incidents_may(acting, 'redact_incident') THEN
        RAISE EXCEPTION 'What was published stays: these rows only grow.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_only_grows';
    END IF;
    IF (NEW.seq, NEW.code, NEW.number, NEW.kind, NEW.published_at)
            IS DISTINCT FROM (OLD.seq, OLD.code, OLD.number, OLD.kind, OLD.published_at)
       OR NOT incidents_can_be_taken(OLD.disclosures, redaction.taken)
       OR NEW.document IS DISTINCT FROM incidents_redacted(OLD.document, redaction.taken, redaction.public_reason)
       OR NEW.disclosures IS DISTINCT FROM incidents_disclosures_kept(OLD.disclosures, redaction.taken)
       OR NEW.note IS DISTINCT FROM (
            CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(incidents_paths(redaction.taken)) AS path WHERE path = '["note"]')
            THEN '' ELSE OLD.note END) THEN
        RAISE EXCEPTION 'A redaction takes out what it names, and changes nothing else.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_publishedversion_redacted_exactly';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER incidents_publishedversion_only_grows_update ON incidents_publishedversion;
CREATE TRIGGER incidents_publishedversion_only_grows_update BEFORE UPDATE ON incidents_publishedversion
    FOR EACH ROW EXECUTE FUNCTION incidents_version_guard();

CREATE FUNCTION incidents_redactedtext_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    IF NOT incidents_may(NEW.actor_id, 'redact_incident') THEN
        RAISE EXCEPTION 'You may not take texts out of what was published.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_redactedtext_by_who_may';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_redactedtext_by_who_may BEFORE INSERT ON incidents_redactedtext
    FOR EACH ROW EXECUTE FUNCTION incidents_redactedtext_guard();
"""
GUARDS_BACK = """
DROP TRIGGER incidents_redactedtext_by_who_may ON incidents_redactedtext;
DROP FUNCTION incidents_redactedtext_guard();
DROP TRIGGER incidents_publishedversion_only_grows_update ON incidents_publishedversion;
CREATE TRIGGER incidents_publishedversion_only_grows_update BEFORE UPDATE ON incidents_publishedversion
    FOR EACH STATEMENT EXECUTE FUNCTION history_refuse('incidents_publishedversion_only_grows', 'What was published stays: these rows only grow.');
DROP FUNCTION incidents_version_guard();
DROP TRIGGER incidents_redaction_carried_out ON incidents_redaction;
DROP FUNCTION incidents_redaction_done();
DROP TRIGGER incidents_redaction_guard ON incidents_redaction;
DROP FUNCTION incidents_redaction_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0004_door"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RedactedText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(help_text="What may not leave, without regard to case and accents.")),
                ("reason", models.TextField(help_text="Why, as it was said in public.")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Redaction",
            fields=[
                ("entry", models.OneToOneField(db_column="seq", on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="redaction", serialize=False, to="incidents.ledgerentry")),
                ("code", models.CharField(max_length=20)),
                ("number", models.IntegerField(help_text="Of the version.")),
                ("taken", models.TextField(help_text="Canonical JSON list of [path, digest]: where a value was, and what it was committed to as.")),
                ("public_reason", models.TextField(help_text="Why. Public.")),
                ("transaction_id", models.BigIntegerField(default=0, editable=False)),
            ],
            options={
                "ordering": ["entry"],
            },
        ),
        migrations.AlterModelOptions(
            name="incident",
            options={"ordering": ["-pk"], "permissions": [("submit_incident", "Can submit an incident for review"), ("return_incident", "Can return an incident to its author"), ("verify_incident", "Can verify an incident"), ("publish_incident", "Can publish a verified incident"), ("reopen_incident", "Can reopen a published incident"), ("retract_incident", "Can retract a published incident"), ("redact_incident", "Can take a text out of what was published")]},
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="incidents_ledgerentry_version_once",
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=[("published", "Published"), ("retracted", "Retracted"), ("redacted", "Redacted")], help_text="What was done.", max_length=20),
        ),
        migrations.AlterField(
            model_name="publishedversion",
            name="kind",
            field=models.CharField(choices=[("published", "Published"), ("retracted", "Retracted"), ("redacted", "Redacted")], max_length=20),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(condition=models.Q(("kind", "redacted"), _negated=True), fields=("code", "version"), name="incidents_ledgerentry_version_once"),
        ),
        migrations.AddField(
            model_name="redactedtext",
            name="actor",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="redactedtext",
            name="incident",
            field=models.ForeignKey(help_text="The record it may not leave in; none where it may leave in no record.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="redacted_texts", to="incidents.incident"),
        ),
        migrations.AddConstraint(
            model_name="redaction",
            constraint=models.CheckConstraint(condition=models.Q(("public_reason", ""), _negated=True), name="incidents_redaction_says_why", violation_error_message="Say in public why it was taken out."),
        ),
        migrations.AddConstraint(
            model_name="redactedtext",
            constraint=models.CheckConstraint(condition=models.Q(("text__regex", "\\S\\s*\\S")), name="incidents_redactedtext_is_a_text", violation_error_message="Name a text of two characters or more."),
        ),
        *(migrations.RunSQL(new, old) for new, old in STAMPS),
        migrations.RunSQL(HELD, HELD_BACK),
        migrations.RunSQL(PUBLISH, function("incidents_publish_guard", DOOR)),
        migrations.RunSQL(WHOLE, function("incidents_ledger_whole", LEDGER)),
        migrations.RunSQL(WHO_EDITED, function("incidents_editors", EDITORS)),
        migrations.RunSQL(REDACTED, REDACTED_BACK),
        migrations.RunSQL(GUARDS, GUARDS_BACK),
        track("incidents_redactedtext", "incident_id"),
        in_own_name("incidents_redactedtext", "actor_id"),
        refuse(
            "incidents_redaction", "UPDATE", "DELETE", "TRUNCATE", rule="incidents_redaction_only_grows",
            message="What was published stays: these rows only grow.",
        ),
        refuse(
            "incidents_redactedtext", "UPDATE", "DELETE", "TRUNCATE", rule="incidents_redactedtext_only_grows",
            message="What may not leave is remembered: these rows only grow.",
        ),
    ]
