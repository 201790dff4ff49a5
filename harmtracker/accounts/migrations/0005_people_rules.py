"""What is written down of people's access, and what stays as it is, whichever way a write comes."""

from django.db import migrations

from harmtracker.history.sql import refuse

RECORD = """
CREATE FUNCTION accounts_event(what text, whose bigint, about text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO accounts_securityevent (at, kind, person_id, by_id, detail)
    VALUES (clock_timestamp(), what, whose,
            nullif(current_setting('harmtracker.actor', true), '')::bigint, about);
$$;

CREATE FUNCTION accounts_user_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM accounts_event('person_made', NEW.id, '');
        RETURN NULL;
    END IF;
    IF NEW.password IS DISTINCT FROM OLD.password THEN
        PERFORM accounts_event('password_changed', NEW.id, '');
    END IF;
    IF NEW.is_active IS DISTINCT FROM OLD.is_active THEN
        PERFORM accounts_event(CASE WHEN NEW.is_active THEN 'activated' ELSE 'deactivated' END, NEW.id, '');
    END IF;
    SELECT string_agg(n.key, ', ' ORDER BY n.key) INTO other
    FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o ON o.key = n.key
    WHERE n.value IS DISTINCT FROM o.value
      AND n.key NOT IN ('password', 'is_active', 'last_login', 'epoch');
    IF other IS NOT NULL THEN
        PERFORM accounts_event('person_changed', NEW.id, other);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_user_recorded AFTER INSERT OR UPDATE ON accounts_user
FOR EACH ROW EXECUTE FUNCTION accounts_user_recorded();

CREATE FUNCTION accounts_user_groups_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    member record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM accounts_event(CASE WHEN TG_OP = 'DELETE' THEN 'group_removed' ELSE 'group_added' END,
        member.user_id, (SELECT name FROM auth_group WHERE id = member.group_id));
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_user_groups_recorded AFTER INSERT OR DELETE ON accounts_user_groups
FOR EACH ROW EXECUTE FUNCTION accounts_user_groups_recorded();

CREATE FUNCTION accounts_user_permissions_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM accounts_event('person_changed', held.user_id,
        CASE WHEN TG_OP = 'DELETE' THEN 'permission removed: ' ELSE 'permission added: ' END
        || (SELECT codename FROM auth_permission WHERE id = held.permission_id));
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_user_permissions_recorded AFTER INSERT OR DELETE ON accounts_user_user_permissions
FOR EACH ROW EXECUTE FUNCTION accounts_user_permissions_recorded();

CREATE FUNCTION accounts_token_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    about text := NEW.name || ' (' || NEW.key_id || '): ' || array_to_string(NEW.scopes, ', ');
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM accounts_event('token_made', NEW.person_id, about);
        RETURN NULL;
    END IF;
    IF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
        PERFORM accounts_event('token_revoked', NEW.person_id, about);
    END IF;
    IF OLD.last_used_on IS NULL AND NEW.last_used_on IS NOT NULL THEN
        PERFORM accounts_event('token_first_used', NEW.person_id, about);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_token_recorded AFTER INSERT OR UPDATE ON accounts_token
FOR EACH ROW EXECUTE FUNCTION accounts_token_recorded();

CREATE FUNCTION accounts_passwordlink_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM accounts_event('link_made', NEW.person_id, NEW.purpose);
        RETURN NULL;
    END IF;
    IF OLD.used_at IS NULL AND NEW.used_at IS NOT NULL THEN
        PERFORM accounts_event('link_used', NEW.person_id, NEW.purpose);
    END IF;
    IF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
        PERFORM accounts_event('link_revoked', NEW.person_id, NEW.purpose);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_passwordlink_recorded AFTER INSERT OR UPDATE ON accounts_passwordlink
FOR EACH ROW EXECUTE FUNCTION accounts_passwordlink_recorded();

CREATE FUNCTION accounts_authenticator_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.confirmed
        AND (TG_OP = 'DELETE' OR NOT NEW.confirmed OR NEW.key <> OLD.key OR NEW.user_id <> OLD.user_id) THEN
        PERFORM accounts_event('second_factor_removed', OLD.user_id, '');
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.confirmed AND (TG_OP = 'INSERT' OR NOT OLD.confirmed
        OR NEW.key <> OLD.key OR NEW.user_id <> OLD.user_id) THEN
        PERFORM accounts_event('second_factor_enrolled', NEW.user_id, '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_authenticator_recorded AFTER INSERT OR UPDATE OR DELETE ON otp_totp_totpdevice
FOR EACH ROW EXECUTE FUNCTION accounts_authenticator_recorded();
"""

NO_RECORD = """
DROP TRIGGER accounts_authenticator_recorded ON otp_totp_totpdevice;
DROP FUNCTION accounts_authenticator_recorded();
DROP TRIGGER accounts_passwordlink_recorded ON accounts_passwordlink;
DROP FUNCTION accounts_passwordlink_recorded();
DROP TRIGGER accounts_token_recorded ON accounts_token;
DROP FUNCTION accounts_token_recorded();
DROP TRIGGER accounts_user_permissions_recorded ON accounts_user_user_permissions;
DROP FUNCTION accounts_user_permissions_recorded();
DROP TRIGGER accounts_user_groups_recorded ON accounts_user_groups;
DROP FUNCTION accounts_user_groups_recorded();
DROP TRIGGER accounts_user_recorded ON accounts_user;
DROP FUNCTION accounts_user_recorded();
DROP FUNCTION accounts_event(text, bigint, text);
"""

# Whatever time a writer says, the event is written down now.
STAMPED = """
CREATE FUNCTION accounts_securityevent_stamped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_securityevent_stamped BEFORE INSERT ON accounts_securityevent
FOR EACH ROW EXECUTE FUNCTION accounts_securityevent_stamped();
"""

# To be active again brings back no session from before.
ENDS_SESSIONS = """
CREATE FUNCTION accounts_user_ends_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.epoch := greatest(NEW.epoch, OLD.epoch);
    IF OLD.is_active AND NOT NEW.is_active AND NEW.epoch = OLD.epoch THEN
        NEW.epoch := OLD.epoch + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_user_ends_sessions BEFORE UPDATE ON accounts_user
FOR EACH ROW EXECUTE FUNCTION accounts_user_ends_sessions();
"""

LINK_MADE_NOW = """
CREATE FUNCTION accounts_passwordlink_made_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF abs(extract(epoch FROM NEW.made_at - clock_timestamp())) > 60 THEN
        RAISE EXCEPTION 'A link is made now, not earlier or later.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_passwordlink_made_now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_passwordlink_made_now BEFORE INSERT ON accounts_passwordlink
FOR EACH ROW EXECUTE FUNCTION accounts_passwordlink_made_now();
"""

LINK_NEVER_ALTERED = """
CREATE FUNCTION accounts_passwordlink_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['used_at', 'revoked_at'])
        IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['used_at', 'revoked_at'])
        OR ((OLD.used_at IS NOT NULL OR OLD.revoked_at IS NOT NULL) AND NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'A link is never altered, and works once: make another.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_passwordlink_never_altered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_passwordlink_never_altered BEFORE UPDATE ON accounts_passwordlink
FOR EACH ROW EXECUTE FUNCTION accounts_passwordlink_never_altered();
"""


def trigger(name: str, table: str, sql: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_people"),
        ("history", "0002_rules"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX accounts_authenticator_one_per_person "
            "ON otp_totp_totpdevice (user_id) WHERE confirmed;",
            "DROP INDEX accounts_authenticator_one_per_person;",
        ),
        migrations.RunSQL(RECORD, NO_RECORD),
        trigger("accounts_securityevent_stamped", "accounts_securityevent", STAMPED),
        trigger("accounts_user_ends_sessions", "accounts_user", ENDS_SESSIONS),
        trigger("accounts_passwordlink_made_now", "accounts_passwordlink", LINK_MADE_NOW),
        trigger("accounts_passwordlink_never_altered", "accounts_passwordlink", LINK_NEVER_ALTERED),
        refuse(
            "accounts_passwordlink", "DELETE", "TRUNCATE",
            rule="accounts_passwordlink_never_deleted",
            message="A link is never deleted: a newer one ends it.",
        ),
        refuse(
            "accounts_securityevent", "UPDATE", "DELETE", "TRUNCATE",
            rule="accounts_securityevent_only_grows",
            message="What happened stays written down.",
        ),
    ]
