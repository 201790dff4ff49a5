"""A batch that a command holds, and somebody who takes a step with it meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connections, transaction

from harmtracker.errors import Conflict
from incidents.importers import reviewing
from incidents.importers.ucdp_import import import_file
from incidents.models import ImportBatch
from tests.importers.files import row, write

pytestmark = pytest.mark.usefixtures("committed")


def test_who_comes_meanwhile_is_told_to_wait(tmp_path: Path, people: SimpleNamespace) -> None:
    batch = import_file(write(tmp_path, row(id="1")), people.researcher).batch
    assert batch is not None
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            ImportBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
            held.set()
            over.wait(30)
        connections.close_all()

    command = threading.Thread(target=hold)
    command.start()
    try:
        assert held.wait(30)
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Conflict, match="just taking a step"):
            reviewing.give_back(batch.uuid, people.verifier, "The wrong file")
    finally:
        over.set()
        command.join()
        connections.close_all()
    reviewing.give_back(batch.uuid, people.verifier, "The wrong file")
