"""What protects people and holds of tokens whichever way a write comes."""

from django.db import migrations

from harmtracker.history.sql import refuse

# A minute for the clocks of two machines.
MADE_NOW = """
CREATE FUNCTION accounts_token_made_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF abs(extract(epoch FROM NEW.created_at - clock_timestamp())) > 60 THEN
        RAISE EXCEPTION 'A token is made now, not earlier or later.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_token_made_now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_token_made_now BEFORE INSERT ON accounts_token
FOR EACH ROW EXECUTE FUNCTION accounts_token_made_now();
"""

NEVER_ALTERED = """
CREATE FUNCTION accounts_token_never_altered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['revoked_at', 'revoked_by_id', 'last_used_on'])
        IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['revoked_at', 'revoked_by_id', 'last_used_on'])
        OR (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
            OR NEW.revoked_by_id IS DISTINCT FROM OLD.revoked_by_id))
        OR (OLD.last_used_on IS NOT NULL
            AND (NEW.last_used_on IS NULL OR NEW.last_used_on < OLD.last_used_on)) THEN
        RAISE EXCEPTION 'A token is never altered, and a revoked one stays revoked: make another.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_token_never_altered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_token_never_altered BEFORE UPDATE ON accounts_token
FOR EACH ROW EXECUTE FUNCTION accounts_token_never_altered();
"""

# Whoever changes a password fears for it; whoever is away has programs that are away.
ENDS_TOKENS = """
CREATE FUNCTION accounts_user_ends_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_token SET revoked_at = clock_timestamp()
    WHERE person_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_user_ends_tokens AFTER UPDATE ON accounts_user
FOR EACH ROW WHEN (OLD.password IS DISTINCT FROM NEW.password OR (OLD.is_active AND NOT NEW.is_active))
EXECUTE FUNCTION accounts_user_ends_tokens();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_token"), ("history", "0002_rules")]

    operations = [
        migrations.RunSQL(
            MADE_NOW,
            "DROP TRIGGER accounts_token_made_now ON accounts_token;"
            "DROP FUNCTION accounts_token_made_now();",
        ),
        migrations.RunSQL(
            NEVER_ALTERED,
            "DROP TRIGGER accounts_token_never_altered ON accounts_token;"
            "DROP FUNCTION accounts_token_never_altered();",
        ),
        migrations.RunSQL(
            ENDS_TOKENS,
            "DROP TRIGGER accounts_user_ends_tokens ON accounts_user;"
            "DROP FUNCTION accounts_user_ends_tokens();",
        ),
        refuse(
            "accounts_token", "DELETE", "TRUNCATE", rule="accounts_token_never_deleted",
            message="A token is never deleted: revoke it.",
        ),
    ]
