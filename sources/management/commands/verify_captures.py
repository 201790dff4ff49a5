from __future__ import annotations

import argparse
import itertools
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sources import storage
from sources.models import Article, Capture

# A copy is linked to its name a moment before the row that knows it is committed.
YOUNG_S = 60 * 60
SAY_EVERY_S = 5


class Command(BaseCommand):
    help = (
        "Re-hashes every stored copy and names each whose bytes have changed or gone, and each "
        "file that belongs to no copy. Removes what an interrupted upload left behind. Ends with 1 "
        "where anything is wrong. Run it monthly, and after a backup was restored."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--article", type=uuid.UUID, metavar="UUID", help="only the copies of this article"
        )

    def handle(self, *args: Any, article: uuid.UUID | None = None, **options: Any) -> None:
        captures = Capture.objects.select_related("article").order_by("sha256", "pk")
        if article is not None:
            if not Article.objects.filter(uuid=article).exists():
                raise CommandError(f"There is no article {article}.")
            captures = captures.filter(article__uuid=article)
        total = captures.count()
        bad = self._check(captures.iterator(chunk_size=500), total)
        strangers = 0
        if article is None:
            storage.clear_unfinished()
            strangers = self._name_strangers()
        if bad or strangers:
            raise CommandError(
                f"{bad} of {total} copies are not as they were stored; "
                f"{strangers} files belong to no copy."
            )
        self.stdout.write(f"{total} copies are as they were stored.")

    def _check(self, captures: Iterator[Capture], total: int) -> int:
        """Name each copy that is not as it was; how many there are."""
        bad = done = 0
        said_at = time.monotonic()
        # Equal bytes of several articles are one file, which is read once.
        for sha256, same in itertools.groupby(captures, key=lambda capture: capture.sha256):
            wrong = storage.rehash(sha256)
            for capture in same:
                done += 1
                if wrong:
                    bad += 1
                    self.stdout.write(
                        f"copy {capture.uuid} of article {capture.article.uuid} "
                        f"({capture.article.title}): {wrong}"
                    )
            if time.monotonic() - said_at > SAY_EVERY_S:
                said_at = time.monotonic()
                self.stderr.write(f"{done} of {total} ...")
        return bad

    def _name_strangers(self) -> int:
        """Name each file that no copy is known by; how many there are."""
        count = 0
        for some in _in_batches(storage.files(), 500):
            known = set(
                Capture.objects.filter(sha256__in=[path.name for path in some]).values_list(
                    "sha256", flat=True
                )
            )
            for path in some:
                if path.name in known and path == storage.path_of(path.name):
                    continue
                if path.name not in known and _is_young(path):
                    continue
                count += 1
                self.stdout.write(f"file {path}: no copy is known by it")
        return count


def _is_young(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_ctime < YOUNG_S
    except FileNotFoundError:
        return True


def _in_batches(paths: Iterator[Path], size: int) -> Iterator[list[Path]]:
    while some := list(itertools.islice(paths, size)):
        yield some
