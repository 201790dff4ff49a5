from django.db import migrations

from harmtracker.history.sql import refuse

# SECURITY DEFINER: the application's role may not write the history itself.
# Reading harmtracker.actor with missing_ok gives NULL, or '' after a transaction that had set it.
RECORD = """
CREATE FUNCTION history_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    why text := coalesce(current_setting('harmtracker.reason', true), '');
    request uuid := nullif(current_setting('harmtracker.request', true), '')::uuid;
    incident text := TG_ARGV[0];
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'Evidence is changed by a person: nobody is set as acting (table %).', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'history_actor_is_set';
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO history_historyentry (table_name, row_id, incident_id, operation, before, after,
            actor_id, reason, request_id, transaction_id, at)
        SELECT TG_TABLE_NAME, (r.after->>'id')::bigint, (r.after->>incident)::bigint, TG_OP, NULL, r.after,
            acting, why, request, pg_current_xact_id()::text::bigint, clock_timestamp()
        FROM (SELECT to_jsonb(n) AS after FROM new_rows n) r ORDER BY 2;
    ELSIF TG_OP = 'UPDATE' THEN
        -- Before and after are told together by the key; one that changed would part them.
        IF EXISTS (SELECT FROM old_rows o FULL JOIN new_rows n ON o.id = n.id
                   WHERE o.id IS NULL OR n.id IS NULL) THEN
            RAISE EXCEPTION 'The key of a row never changes.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'history_key_never_changes';
        END IF;
        INSERT INTO history_historyentry (table_name, row_id, incident_id, operation, before, after,
            actor_id, reason, request_id, transaction_id, at)
        SELECT TG_TABLE_NAME, r.id, (r.after->>incident)::bigint, TG_OP, r.before, r.after,
            acting, why, request, pg_current_xact_id()::text::bigint, clock_timestamp()
        FROM (SELECT n.id, to_jsonb(o) AS before, to_jsonb(n) AS after
              FROM old_rows o JOIN new_rows n ON o.id = n.id) r
        WHERE r.before IS DISTINCT FROM r.after ORDER BY 2;
    ELSE
        INSERT INTO history_historyentry (table_name, row_id, incident_id, operation, before, after,
            actor_id, reason, request_id, transaction_id, at)
        SELECT TG_TABLE_NAME, (r.before->>'id')::bigint, (r.before->>incident)::bigint, TG_OP, r.before, NULL,
            acting, why, request, pg_current_xact_id()::text::bigint, clock_timestamp()
        FROM (SELECT to_jsonb(o) AS before FROM old_rows o) r ORDER BY 2;
    END IF;
    RETURN NULL;
END $$;
"""

REFUSE = """
CREATE FUNCTION history_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[1] USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0];
END $$;
"""

OWN_NAME = """
CREATE FUNCTION history_own_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW)->>TG_ARGV[0]) IS DISTINCT FROM nullif(current_setting('harmtracker.actor', true), '') THEN
        RAISE EXCEPTION 'Nobody writes in another person''s name.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("history", "0001_initial")]

    operations = [
        migrations.RunSQL(RECORD, "DROP FUNCTION history_record();"),
        migrations.RunSQL(REFUSE, "DROP FUNCTION history_refuse();"),
        migrations.RunSQL(OWN_NAME, "DROP FUNCTION history_own_name();"),
        refuse(
            "history_historyentry", "UPDATE", "DELETE", "TRUNCATE",
            rule="history_only_grows",
            message="The history only grows: no entry is changed or removed.",
        ),
    ]
