"""What each role may do with each table: the whole of it, applied after every migration.

A table without a line here is out of reach of both roles, and the start-up check says so.
"""

from __future__ import annotations

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

READ = "SELECT"
ADD = "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE"
ALL = "SELECT, INSERT, UPDATE, DELETE"

APP: dict[str, str] = {
    # Evidence: added and edited, never removed
    "sources_outlet": EDIT,
    "sources_article": EDIT,
    "sources_capture": ADD,
    "sources_custodyentry": ADD,
    "sources_confidentialsource": EDIT,
    "sources_reveal": ADD,
    "incidents_place": EDIT,
    "incidents_actor": EDIT,
    "incidents_dataset": EDIT,
    "incidents_incident": EDIT,
    "incidents_incidentrevision": EDIT,
    "incidents_importbatch": EDIT,
    "incidents_importedrow": ADD,
    # Written by triggers with every step and edit
    "incidents_waiting": READ,
    "incidents_waitingcount": READ,
    "incidents_waitingrecount": READ,
    "incidents_reviewcomment": EDIT,
    "incidents_assignment": ALL,
    "incidents_look": EDIT,
    "incidents_merge": EDIT,
    # Parts of a draft may be removed; the history keeps them
    "incidents_claim": ALL,
    "incidents_victim": ALL,
    "incidents_furtherplace": ALL,
    "incidents_externalid": ALL,
    "incidents_incidentlink": ALL,
    "incidents_casualtycount": ALL,
    "incidents_countbasis": ALL,
    "incidents_weaponuse": ALL,
    "incidents_involvement": ALL,
    "incidents_victimclaim": ALL,
    # What only grows. UPDATE on the entry's row would be refused by its trigger all the same;
    # SELECT ... FOR UPDATE needs a grant, and nothing locks these.
    "incidents_review": ADD,
    "incidents_warninganswer": ADD,
    "incidents_ledgerentry": ADD,
    "incidents_redaction": ADD,
    "incidents_redactedtext": ADD,
    "incidents_release": ADD,
    "incidents_releasetext": ADD,
    "incidents_releasebuild": ADD,
    "incidents_releasefile": ADD,
    # Written by the trigger of redactions
    "incidents_releasewithdrawal": READ,
    # A trigger lets a redaction through, and nothing else
    "incidents_publishedversion": EDIT,
    "incidents_ledgerhead": "SELECT, UPDATE",
    "incidents_codecounter": EDIT,
    # The index over the documents is rewritten at will
    "incidents_publishedincident": ALL,
    "incidents_publishedincidentrow": ALL,
    "incidents_publishedtotal": ALL,
    "incidents_publishedcasualty": ALL,
    "incidents_publishedvictim": ALL,
    "incidents_publishedclaim": ALL,
    "incidents_publishedtally": ALL,
    "incidents_publishedpart": ALL,
    "incidents_publishedgroupvalue": ALL,
    "incidents_publishedreference": ALL,
    "incidents_publishedchange": ALL,
    "incidents_publishedkeycount": ALL,
    "incidents_publishedtallysum": ALL,
    "incidents_publishedadm1sum": ALL,
    # Written by triggers and by the loading of code lists
    "history_historyentry": READ,
    "harmtracker_code": READ,
    "incidents_weapontype": READ,
    # Answers to repeated requests: kept for days, never altered
    "harmtracker_idempotentrequest": "SELECT, INSERT, DELETE",
    # Requests counted: swept when their time is over
    "harmtracker_requestcount": ALL,
    # People
    "accounts_user": EDIT,
    "accounts_user_groups": ALL,
    "accounts_user_user_permissions": ALL,
    "accounts_token": EDIT,
    "accounts_passwordlink": EDIT,
    "accounts_securityevent": ADD,
    "accounts_attempt": "SELECT, INSERT, DELETE",
    "otp_totp_totpdevice": ALL,
    "otp_static_staticdevice": ALL,
    "otp_static_statictoken": ALL,
    "auth_group": READ,
    "auth_group_permissions": READ,
    "auth_permission": READ,
    "django_content_type": READ,
    "django_admin_log": ADD,
    "django_session": ALL,
    "django_migrations": READ,
}

PUBLIC: dict[str, str] = {
    "incidents_ledgerhead": READ,
    "incidents_ledgerentry": READ,
    "incidents_publishedversion": READ,
    "incidents_redaction": READ,
    "incidents_publishedincident": READ,
    "incidents_publishedincidentrow": READ,
    "incidents_publishedtotal": READ,
    "incidents_publishedcasualty": READ,
    "incidents_publishedvictim": READ,
    "incidents_publishedclaim": READ,
    "incidents_publishedtally": READ,
    "incidents_publishedpart": READ,
    "incidents_publishedgroupvalue": READ,
    "incidents_publishedreference": READ,
    "incidents_publishedchange": READ,
    "incidents_publishedkeycount": READ,
    "incidents_publishedtallysum": READ,
    "incidents_publishedadm1sum": READ,
    "incidents_release": READ,
    "incidents_releasebuild": READ,
    "incidents_releasefile": READ,
    "incidents_releasewithdrawal": READ,
    "harmtracker_code": READ,
    "incidents_weapontype": READ,
}

# Functions that run as the owner, and which kind of role may call each; triggers call the others.
FUNCTIONS: dict[str, str | None] = {
    "history_record()": None,
    "incidents_reckon_waiting(bigint[])": None,
    "incidents_backlog_at(timestamptz)": None,
    "incidents_backlog()": "public",
}


def roles() -> dict[str, dict[str, str]]:
    prefix = settings.HARMTRACKER_ROLE_PREFIX
    return {f"{prefix}_app": APP, f"{prefix}_public": PUBLIC}


def apply(connection: BaseDatabaseWrapper) -> None:
    """Give each role what its table says and nothing else. Runs as the owner, again and again."""
    with connection.cursor() as cursor:
        for role, grants in roles().items():
            cursor.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"')
            cursor.execute(f'REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM "{role}"')
            for table, privileges in grants.items():
                cursor.execute(f'GRANT {privileges} ON "{table}" TO "{role}"')
        # What everybody may do, both roles may.
        cursor.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
        for function, kind in FUNCTIONS.items():
            cursor.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
            for role in roles():
                verb, to = ("GRANT", "TO") if _calls(role, kind) else ("REVOKE", "FROM")
                cursor.execute(f'{verb} EXECUTE ON FUNCTION {function} {to} "{role}"')


def _calls(role: str, kind: str | None) -> bool:
    return kind is not None and role == f"{settings.HARMTRACKER_ROLE_PREFIX}_{kind}"


# What the role itself can do, whoever it was granted to: columns and PUBLIC count as well.
_HELD = """
    SELECT c.relname, array_agg(p ORDER BY p) FROM pg_class c
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                            'TRIGGER']) AS p
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (has_table_privilege(c.oid, p) OR CASE
           WHEN p IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
           THEN has_any_column_privilege(c.oid, p) ELSE false END)
    GROUP BY c.relname
"""


def differences(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """How what ``role`` can do differs from its table, a line each; asked as that role."""
    wanted = {t: set(p.split(", ")) for t, p in roles()[role].items()}
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        held = {table: set(privileges) for table, privileges in cursor.fetchall()}
        called = {}
        for function in FUNCTIONS:
            cursor.execute("SELECT has_function_privilege(%s, 'EXECUTE')", [function])
            called[function] = cursor.fetchone() == (True,)
    lines = [
        f"{role} holds {sorted(held.get(table, set()))} on {table}, "
        f"wanted {sorted(wanted.get(table, set()))}"
        for table in sorted({*wanted, *held})
        if held.get(table, set()) != wanted.get(table, set())
    ]
    for function, kind in FUNCTIONS.items():
        if called[function] != _calls(role, kind):
            lines.append(f"{role} {'may' if called[function] else 'may not'} call {function}")
    return lines
