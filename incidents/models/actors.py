from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from harmtracker.codes import CodeField


class Actor(models.Model):
    """A party: an army, an armed group, one of its units, a crowd. Units form a tree."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(
        max_length=80, unique=True, help_text="Short name used in data files; never changes."
    )
    name = models.CharField(max_length=200, help_text="The name we use in English.")
    other_names = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Other names, spellings and abbreviations, all of them searched.",
    )
    kind = CodeField("actor_kind", help_text="What kind of actor, after ACLED.")
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="units",
        help_text="The actor that this one is a unit of.",
    )
    country = models.CharField(
        max_length=3, null=True, blank=True, help_text="ISO 3166-1 alpha-3 code."
    )
    independence_group = models.CharField(
        max_length=80,
        help_text="Outlets and actors of one group count as one independent source.",
    )

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
