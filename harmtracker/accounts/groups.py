"""Who may do what: the three groups and their permissions, written to the database by migrate."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission

RESEARCHER = "researcher"
VERIFIER = "verifier"
ADMINISTRATOR = "administrator"

_ENTERED = [
    "incident",
    "claim",
    "casualtycount",
    "countbasis",
    "weaponuse",
    "involvement",
    "victim",
    "victimclaim",
    "furtherplace",
    "externalid",
    "incidentlink",
]
_REMOVABLE = [name for name in _ENTERED if name != "incident"]
_SHARED = [
    "incidents.place",
    "incidents.actor",
    "incidents.dataset",
    "sources.outlet",
    "sources.article",
]
_OWN_TOKENS = ["accounts.view_token", "accounts.add_token"]


def _permissions(verb: str, models: list[str]) -> list[str]:
    return [f"{m.split('.')[0]}.{verb}_{m.split('.')[1]}" for m in models]


_RECORDS = [f"incidents.{name}" for name in _ENTERED]
_READ = [
    *_permissions("view", [*_RECORDS, *_SHARED]),
    *_permissions(
        "view",
        [
            "incidents.review",
            "incidents.reviewcomment",
            "incidents.weapontype",
            "incidents.publishedversion",
            "incidents.ledgerentry",
            "incidents.importbatch",
            "sources.capture",
            "sources.custodyentry",
            "sources.confidentialsource",
            "harmtracker.code",
            "history.historyentry",
        ],
    ),
]

# A researcher enters and submits. A verifier decides, and may add or mend shared records, but
# edits no incident: who edits cannot verify. An administrator keeps people and shared records.
GROUPS: dict[str, list[str]] = {
    RESEARCHER: [
        *_READ,
        *_OWN_TOKENS,
        *_permissions("add", [*_RECORDS, *_SHARED, "incidents.reviewcomment"]),
        *_permissions("change", [*_RECORDS, *_SHARED, "incidents.reviewcomment"]),
        *_permissions("delete", [f"incidents.{name}" for name in _REMOVABLE]),
        "incidents.add_importbatch",
        "incidents.submit_incident",
        "incidents.reopen_incident",
        "incidents.merge_incident",
        "sources.add_capture",
        "sources.add_confidentialsource",
        "sources.change_confidentialsource",
    ],
    VERIFIER: [
        *_READ,
        *_OWN_TOKENS,
        *_permissions("add", [*_SHARED, "incidents.reviewcomment"]),
        *_permissions("change", [*_SHARED, "incidents.reviewcomment"]),
        "incidents.return_incident",
        "incidents.verify_incident",
        "incidents.publish_incident",
        "incidents.reopen_incident",
        "incidents.retract_incident",
        "incidents.redact_incident",
        "incidents.make_release",
        "sources.hand_over_capture",
        "sources.view_reveal",
        "sources.reveal_confidentialsource",
    ],
    ADMINISTRATOR: [
        *_OWN_TOKENS,
        *_permissions("view", _SHARED),
        *_permissions("add", _SHARED),
        *_permissions("change", _SHARED),
        "incidents.view_weapontype",
        "harmtracker.view_code",
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
        "accounts.view_securityevent",
        "auth.view_group",
    ],
}


def sync_groups(using: str) -> None:
    """Make the groups of the database those of ``GROUPS``. Runs as the owner."""
    for name, wanted in GROUPS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        permissions = []
        for permission in wanted:
            app_label, codename = permission.split(".")
            permissions.append(
                Permission.objects.using(using).get(
                    content_type__app_label=app_label, codename=codename
                )
            )
        group.permissions.set(permissions)
