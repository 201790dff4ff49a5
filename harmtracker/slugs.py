"""Short names of shared records, made from their names where nobody gives one."""

from __future__ import annotations

from django.db import connections, models
from django.utils.text import slugify

SLUG_LENGTH = 80


def free_slug(model: type[models.Model], name: str) -> str:
    """A short name in Latin letters, numbered where others have it. Call it in a transaction."""
    kind = str(model._meta.model_name)
    base = slugify(name)[: SLUG_LENGTH - 6].strip("-") or kind
    with connections["default"].cursor() as cursor:
        # Two people who enter one name at once get two numbers.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{model._meta.db_table} slug"],
        )
    known = model._default_manager.filter(slug__startswith=base)
    taken = set(known.values_list("slug", flat=True))
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
