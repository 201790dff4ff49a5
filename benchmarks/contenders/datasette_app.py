"""Datasette over the SQLite file, under granian like the others, with what it can be spared off."""

from __future__ import annotations

import json
import os
from pathlib import Path

from datasette.app import Datasette

from benchmarks.sqlite import metadata

_file = Path(os.environ["BENCHMARK_SQLITE"])
application = Datasette(
    [],
    immutables=[str(_file)],
    metadata=json.loads(json.dumps(metadata(_file.stem))),
    settings={
        "max_returned_rows": 1000,
        "sql_time_limit_ms": 60_000,
        "num_sql_threads": 2,
        "default_facet_size": 1,
        "allow_facet": False,
        "suggest_facets": False,
        "cache_size_kb": 131_072,  # as many as PostgreSQL has
        "template_debug": False,
    },
).app()
