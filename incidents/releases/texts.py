"""The code lists, and the texts that say how we count, as they are on the day of a release.

They are kept with the release: a later software has others, and the files must come out the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings

from harmtracker.models import Code
from incidents.models import WeaponType

CODE_COLUMNS = ("code", "label", "definition", "parent", "mappings")
WEAPON_COLUMNS = (
    "code",
    "label",
    "definition",
    "parent",
    "sdg_cause",
    "acled_sub_event",
    "wide_area",
)
WEAPON_TYPES = "codelists/weapon_types.csv"
# Pages of docs/ that say what a record is, how it comes to be, and how it is counted.
PAGES = ("document", "workflow", "formats", "filters", "totals", "as_of", "changes", "releases")


def of_today() -> dict[str, str]:
    """Path in the release -> text."""
    found: dict[str, str] = {}
    names = Code.objects.using("default").order_by("list").values_list("list", flat=True).distinct()
    for name in names:
        codes = Code.objects.using("default").filter(list=name).order_by("position")
        found[f"codelists/{name}.csv"] = _table(CODE_COLUMNS, codes.values_list(*CODE_COLUMNS))
    weapons = WeaponType.objects.using("default").order_by("code")
    found[WEAPON_TYPES] = _table(WEAPON_COLUMNS, weapons.values_list(*WEAPON_COLUMNS))
    for page in PAGES:
        path = settings.BASE_DIR / "docs" / f"{page}.md"
        if path.exists():
            found[f"methodology/{page}.md"] = path.read_text(encoding="utf-8")
    return found


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value
