"""The two layouts in which UCDP GED is published, told apart by the names of the columns."""

from __future__ import annotations

from collections.abc import Sequence

from harmtracker.errors import Invalid

# Of every layout; the order in the file is not looked at.
COMMON = (
    "id", "year", "active_year", "type_of_violence", "conflict_new_id", "conflict_name",
    "dyad_new_id", "dyad_name", "side_a_new_id", "side_a", "side_b_new_id", "side_b",
    "number_of_sources", "source_article", "source_office", "source_date", "source_headline",
    "source_original", "where_prec", "where_coordinates", "adm_1", "adm_2", "latitude",
    "longitude", "geom_wkt", "priogrid_gid", "country", "country_id", "region", "event_clarity",
    "date_prec", "date_start", "date_end", "deaths_a", "deaths_b", "deaths_civilians",
    "deaths_unknown", "best", "high", "low", "gwnoa", "gwnob",
)  # fmt: skip
# Since GED 19.1.
ADDED = (
    "relid", "code_status", "conflict_dset_id", "dyad_dset_id", "side_a_dset_id",
    "side_b_dset_id", "where_description",
)  # fmt: skip
LAYOUTS = {"ged-49": frozenset(COMMON + ADDED), "ged-42": frozenset(COMMON)}


def layout_of(columns: Sequence[str]) -> str:
    """The name of the layout. Raises :class:`Invalid` that names the columns at fault."""
    given = set(columns)
    if len(given) < len(columns):
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        raise Invalid(f"The header names a column twice: {', '.join(twice)[:200]}.")
    for name, wanted in LAYOUTS.items():
        if given == wanted:
            return name
    wanted = LAYOUTS["ged-49" if given & set(ADDED) else "ged-42"]
    missing, extra = sorted(wanted - given), sorted(given - wanted)
    said = [f"missing are {', '.join(missing)}"] if missing else []
    said += [f"not known are {', '.join(extra)[:200]}"] if extra else []
    raise Invalid(
        "The file has neither layout of UCDP GED, of 49 columns or of 42, in UTF-8 with commas: "
        + "; ".join(said).encode("utf-8", "replace").decode("utf-8")
        + "."
    )
