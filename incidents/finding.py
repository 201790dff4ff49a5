"""How keys of the index are spelt: the same for what is stored and for what is asked."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db.models import Func

# Key of a count row -> its code list. Conditions on these look at one row.
DIMENSIONS_OF_A_COUNT = {
    "outcome": "outcome",
    "status": "person_status",
    "role": "person_role",
    "sex": "sex",
    "age_group": "age_group",
}

# Totals that stand in the row itself. Asked of a table beside it, a frequent figure together with
# a filter of the row costs ten times as much.
FIGURES = tuple(
    f"{outcome}_{bucket}_{bound}"
    for outcome in ("killed", "injured")
    for bucket in ("civilian", "all")
    for bound in ("min", "best", "max")
)


class Days(Func):
    """The days that an incident can have been on: ``Days("date_earliest", "date_latest")``.

    An end that is not known is open. Where neither is, it is every day.
    """

    template = "daterange(%(expressions)s, '[]')"
    output_field = DateRangeField()


def trait(dimension: str, value: str) -> str:
    """The key of a value of a dimension; the empty value is one that is not known."""
    return f"{dimension}:{value}"


def address_key(address: str) -> str:
    """A short digest of a web address, which may be long: of its bytes, as they stand."""
    return hashlib.sha256(address.encode("utf-8")).hexdigest()[:24]


@cache
def weapon_types() -> dict[str, dict[str, Any]]:
    """Code -> its row, of the file that the table is loaded from."""
    rows = json.loads((settings.FIXTURES / "weapon_types.json").read_text(encoding="utf-8"))
    return {row["code"]: row for row in rows}
