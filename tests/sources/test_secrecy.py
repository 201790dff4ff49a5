"""Where a confidential identity must not be, looked for after it was entered and shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harmtracker.history.acting import acting
from sources import confidential
from sources.sealing import Identity
from tests import builders
from tests.rules import run
from tests.sources.witness import WHO, WORDS, reveal


def test_it_is_committed_before_it_is_read(
    committed: None, people: SimpleNamespace, monkeypatch: Any
) -> None:
    with acting(people.researcher):
        outlet = builders.outlet()
    source = confidential.create(outlet, WHO, by=people.researcher)
    seen: list[int] = []

    def look(*args: Any) -> Identity:
        # Another connection sees what is committed alone.
        seen.append(run("SELECT count(*) FROM sources_reveal", using="owner")[0][0])
        return WHO

    monkeypatch.setattr(confidential, "unseal", look)
    reveal(source, people.verifier)
    assert seen == [1]
    with pytest.raises(RuntimeError), acting(people.verifier):
        reveal(source, people.verifier)


def _everything(using: str = "owner") -> str:
    """Every row of every table, as their owner reads them."""
    tables = run(
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' "
        "AND c.relnamespace = 'public'::regnamespace",
        using=using,
    )
    return "\n".join(str(run(f"SELECT t::text FROM {table} t", using=using)) for (table,) in tables)


def test_the_database_never_holds_it(
    committed: None, people: SimpleNamespace, caplog: Any, settings: Any
) -> None:
    with acting(people.researcher):
        outlet = builders.outlet(kind="witness", name="zqpublicname of the ward")
    source = confidential.create(outlet, WHO, by=people.researcher)
    confidential.replace(source, WHO, by=people.researcher, reason="zqreason")
    assert reveal(source, people.verifier) == WHO
    rows = _everything()
    assert "zqpublicname" in rows  # what is looked through is what was written
    assert "zqreason" in rows
    assert not any(word in rows for word in WORDS)
    hexed = [word.encode().hex() for word in WORDS]
    assert not any(word in rows for word in hexed)
    assert not any(word in caplog.text for word in WORDS)
    folder = Path(run("SHOW data_directory", using="owner")[0][0]) if _reaches_wal() else None
    if folder is not None:
        written = b"".join(
            path.read_bytes() for path in (folder / "pg_wal").iterdir() if path.is_file()
        )
        assert b"zqpublicname" in written
        assert not any(word.encode() in written for word in WORDS)


def _reaches_wal() -> bool:
    """Whether this test may read the files of the server."""
    try:
        ((folder,),) = run("SHOW data_directory", using="owner")
        next((Path(folder) / "pg_wal").iterdir())
    except Exception:
        return False
    return True
