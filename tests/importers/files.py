"""Small files of UCDP GED: rows as the dataset has them, with other values by keyword."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from incidents.importers.ucdp_layout import ADDED, COMMON

COLUMNS_49 = [*COMMON, *ADDED]
COLUMNS_42 = [*COMMON]

ROW = {
    "id": "900001",
    "relid": "MYA-2021-1-461-1",
    "year": "2021",
    "active_year": "True",
    "code_status": "Clear",
    "type_of_violence": "1",
    "conflict_dset_id": "231",
    "conflict_new_id": "231",
    "conflict_name": "Myanmar (Burma): Kachin",
    "dyad_dset_id": "461",
    "dyad_new_id": "461",
    "dyad_name": "Government of Myanmar (Burma) - KIO",
    "side_a_dset_id": "144",
    "side_a_new_id": "144",
    "side_a": "Government of Myanmar (Burma)",
    "side_b_dset_id": "201",
    "side_b_new_id": "201",
    "side_b": "KIO",
    "number_of_sources": "2",
    "source_article": '"Kachin News,2021-03-28,Clash at\nHpakant";"Gazette,2021-03-29,Five dead"',
    "source_office": "Kachin News;Gazette",
    "source_date": "2021-03-28;2021-03-29",
    "source_headline": "Clash at Hpakant;Five dead",
    "source_original": "KIA",
    "where_prec": "1",
    "where_coordinates": "Hpakant town",
    "where_description": "Near the jade mines,\nHpakant",
    "adm_1": "Kachin state",
    "adm_2": "Mohnyin district",
    "latitude": "25.616667",
    "longitude": "96.31666700000001",
    "geom_wkt": "POINT (96.316667 25.616667)",
    "priogrid_gid": "166873",
    "country": "Myanmar (Burma)",
    "country_id": "775",
    "region": "Asia",
    "event_clarity": "1",
    "date_prec": "1",
    "date_start": "2021-03-27",
    "date_end": "2021-03-27",
    "deaths_a": "2",
    "deaths_b": "1",
    "deaths_civilians": "2",
    "deaths_unknown": "0",
    "best": "5",
    "high": "9",
    "low": "4",
    "gwnoa": "775",
    "gwnob": "",
}


def row(**values: str) -> dict[str, str]:
    return {**ROW, **values}


def one_sided(**values: str) -> dict[str, str]:
    """Violence against civilians, which has no side b but them."""
    return row(
        **{
            "type_of_violence": "3",
            "side_b_new_id": "1",
            "side_b": "Civilians",
            "deaths_a": "0",
            "deaths_b": "0",
            "deaths_civilians": "5",
            **values,
        }
    )


def text_of(rows: list[dict[str, str]], columns: list[str] | None = None) -> str:
    columns = columns or COLUMNS_49
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def write(
    folder: Path,
    *rows: dict[str, str],
    columns: list[str] | None = None,
    name: str = "ged.csv",
) -> Path:
    path = folder / name
    path.write_text(text_of(list(rows), columns), encoding="utf-8", newline="")
    return path
