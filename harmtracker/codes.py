"""The code lists: data files below ``fixtures/codelists/``, the only place where codes stand.

The database holds a copy (:class:`harmtracker.models.Code`) that triggers check every row
against; forms and serializers read the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


@dataclass(frozen=True)
class ListedCode:
    code: str
    label: str
    definition: str
    parent: str | None
    mappings: dict[str, Any] = field(hash=False)


@cache
def code_list(name: str) -> dict[str, ListedCode]:
    """Code -> its entry, in the order of the list. An unknown list is a bug of ours."""
    path = settings.FIXTURES / "codelists" / f"{name}.json"
    return {
        row["code"]: ListedCode(
            row["code"], row["label"], row["definition"], row["parent"], row["mappings"]
        )
        for row in json.loads(path.read_text(encoding="utf-8"))["codes"]
    }


def choices(name: str) -> list[tuple[str, str]]:
    return [(entry.code, entry.label) for entry in code_list(name).values()]


def covers(name: str, wide: str, narrow: str) -> bool:
    """Whether ``wide`` takes in ``narrow``: the same code, ``all``, or an ancestor of it."""
    listed = code_list(name)
    step: str | None = narrow
    while step is not None:
        if step == wide:
            return True
        step = listed[step].parent
    return wide == "all"


class CodeField(models.CharField):
    """A code of one list. The database checks it by the trigger of its table."""

    def __init__(self, code_list: str, **kwargs: Any) -> None:
        self.code_list = code_list
        kwargs.setdefault("max_length", 40)
        kwargs["choices"] = partial(choices, code_list)
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, path, [self.code_list, *args], kwargs


class CodeArrayField(ArrayField):
    """Several codes of one list, in the order given."""

    def __init__(self, code_list: str, **kwargs: Any) -> None:
        self.code_list = code_list
        kwargs["base_field"] = models.CharField(max_length=40, choices=partial(choices, code_list))
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        return name, "harmtracker.codes.CodeArrayField", [self.code_list, *args], kwargs
