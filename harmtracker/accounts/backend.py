"""What a person may do, asked of the database once in a request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connections

from harmtracker.accounts.models import User

_PERMISSIONS = """
    SELECT kind.app_label || '.' || permission.codename
    FROM auth_permission permission
    JOIN django_content_type kind ON kind.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT permission_id FROM accounts_user_user_permissions WHERE user_id = %(person)s
        UNION ALL
        SELECT its.permission_id FROM auth_group_permissions its
        JOIN accounts_user_groups member ON member.group_id = its.group_id
        WHERE member.user_id = %(person)s
    )
"""


class People(ModelBackend):
    """Django's own, with one plain statement for all permissions of a person.

    Nearly every request asks for them, and Django's two queries take longer to make than to run.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if (
            not user_obj.is_active
            or user_obj.is_anonymous
            or user_obj.is_superuser
            or obj is not None
        ):
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            user_obj._perm_cache = _permissions_of(user_obj)
        found: set[str] = user_obj._perm_cache
        return found


def _permissions_of(person: User) -> set[str]:
    with connections[person._state.db or "default"].cursor() as cursor:
        cursor.execute(_PERMISSIONS, {"person": person.pk})
        return {name for (name,) in cursor.fetchall()}
