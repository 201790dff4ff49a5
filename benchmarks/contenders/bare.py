"""A bare WSGI function: no framework, psycopg's pool, prepared statements.

Paths: /nested/page, /nested/documents (query: the day), /nested/one (query: the code), and the
same below /stored/.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from psycopg_pool import ConnectionPool

from benchmarks.contenders import questions

ANSWERS: dict[str, tuple[str, bool]] = {
    "/nested/page": (questions.nested_page("%s::date", full=False), True),
    "/nested/documents": (questions.nested_page("%s::date", full=True), True),
    "/nested/one": (questions.nested_one("%s"), True),
    "/stored/page": (questions.stored_page("%s::date", full=False), False),
    "/stored/documents": (questions.stored_page("%s::date", full=True), False),
    "/stored/changes": (questions.stored_changes("%s::bigint"), False),
    "/stored/one": (questions.stored_one("%s"), True),
}


@cache
def pool() -> ConnectionPool:
    return ConnectionPool(
        os.environ["BENCHMARK_DSN"],
        min_size=1,
        max_size=4,
        kwargs={"prepare_threshold": 0, "autocommit": True},
        open=True,
    )


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    sql, is_whole = ANSWERS[environ["PATH_INFO"]]
    with pool().connection() as connection:
        rows = connection.execute(sql, [environ["QUERY_STRING"]], prepare=True).fetchall()
    texts = [row[0].encode() for row in rows]
    body = texts[0] if is_whole else b'{"results":[' + b",".join(texts) + b"]}"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]
