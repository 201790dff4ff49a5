"""FastAPI with asyncpg: PostgreSQL assembles the same JSON; asyncpg prepares by itself."""

from __future__ import annotations

import datetime
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request, Response
from psycopg.conninfo import conninfo_to_dict

from benchmarks.contenders import questions

PAGE = questions.nested_page("$1::date", full=False)
DOCUMENTS = questions.nested_page("$1::date", full=True)
ONE = questions.nested_one("$1")


@asynccontextmanager
async def with_pool(app: FastAPI) -> AsyncIterator[None]:
    where = conninfo_to_dict(os.environ["BENCHMARK_DSN"])
    async with asyncpg.create_pool(
        host=where["host"],
        port=where["port"],
        user=where["user"],
        database=where["dbname"],
        min_size=1,
        max_size=4,
    ) as pool:
        app.state.pool = pool
        yield


application = FastAPI(lifespan=with_pool)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


@application.get("/nested/page")
async def page(request: Request) -> Response:
    day = datetime.date.fromisoformat(request.url.query)
    return _json(await request.app.state.pool.fetchval(PAGE, day))


@application.get("/nested/documents")
async def documents(request: Request) -> Response:
    day = datetime.date.fromisoformat(request.url.query)
    return _json(await request.app.state.pool.fetchval(DOCUMENTS, day))


@application.get("/nested/one")
async def one(request: Request) -> Response:
    return _json(await request.app.state.pool.fetchval(ONE, request.url.query))
