"""Making a release, making it again, and checking it: what the command does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import harmtracker
from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, Invalid, NotAllowed, NotFound
from harmtracker.history.acting import acting
from incidents.exports.columns import LISTS
from incidents.models import (
    LedgerEntry,
    LedgerHead,
    Release,
    ReleaseBuild,
    ReleaseFile,
    ReleaseText,
)
from incidents.models.releases import NAME
from incidents.publishing.ledger import timestamp

from . import changelog, describing, storage, tables, texts
from .frozen import Frozen, Software, redacted_at
from .writing import Folder, measured

PERMISSION = "incidents.make_release"
# Hears what is written now, and how many bytes the step before it came to.
Say = Callable[[str], None]
SITE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,180}")


def _silent(text: str) -> None:
    pass


def software() -> Software:
    return Software(harmtracker.__version__, pa.__version__)


def _refuse_who_may_not(actor: User) -> None:
    """Before the files are written: the database refuses it too, but only after."""
    if not actor.has_perm(PERMISSION):
        raise NotAllowed("You may not make a release.")


def release(
    name: str, actor: User, *, position: int | None = None, site: str = "", say: Say = _silent
) -> ReleaseBuild:
    """Freeze a ledger position, the head unless another is named, and write its files.

    Raises :class:`Invalid` (a bad name or site, a position that the ledger does not have),
    :class:`Conflict` (the name exists), or what the database refuses: the person may not, or a
    text was taken out meanwhile, which is :class:`Invalid` too.
    """
    _refuse_who_may_not(actor)
    site = site.rstrip("/")
    if not re.fullmatch(NAME, name):
        raise Invalid("A release is named by year and number, such as 2026.1.")
    if site and not SITE.fullmatch(site):
        raise Invalid("A site is an address without a path, such as https://harm.example.org.")
    with storage.alone():
        storage.sweep()
        if Release.objects.filter(name=name).exists():
            raise Conflict(f"Release {name} exists. It stays as it is: take another name.")
        at = _position(position)
        previous = Release.objects.filter(position__lte=at).first()
        new = Release(name=name, position=at, previous=previous, site=site)
        frozen = _frozen(new, texts.of_today(), 1, software())
        with storage.unfinished() as path:
            folder = write(frozen, path, say)
            return _store(new, frozen, folder, actor)


def _position(asked: int | None) -> int:
    head = LedgerHead.objects.using("default").get().size
    if head == 0:
        raise Invalid("Nothing is published yet: there is nothing to release.")
    at = head if asked is None else asked
    if not 1 <= at <= head:
        raise Invalid(f"The ledger has positions 1 to {head}.")
    return at


def _frozen(of: Release, kept: dict[str, str], number: int, by: Software) -> Frozen:
    moment = LedgerEntry.objects.using("default").values_list("at", flat=True).get(seq=of.position)
    since = None if of.previous is None else of.previous.position
    return Frozen(
        name=of.name,
        position=of.position,
        moment=timestamp(moment),
        previous=None if of.previous is None else of.previous.name,
        since=since,
        site=of.site,
        texts=kept,
        build=number,
        redacted_at=redacted_at(of.position, since),
        software=by,
    )


def write(frozen: Frozen, path: Path, say: Say = _silent) -> Folder:
    """Write every file of a build below ``path``."""
    folder = Folder(path)

    def step(what: str, work: Callable[[], object], below: str) -> None:
        work()
        count = sum(1 for name in folder.files if name.startswith(below))
        files = f"{count} files, " if count > 1 else ""
        say(f"{what:<24} {files}{folder.size(below) / 1e6:,.1f} MB")

    for name, text in sorted(frozen.texts.items()):
        folder.put(name, [text.encode()])
    step("documents", lambda: tables.documents(frozen, folder), tables.DOCUMENTS)
    for one in LISTS:
        step(
            f"CSV of {one}",
            lambda one=one: tables.delimited_files(frozen, folder, one),  # type: ignore[misc]
            tables.csv_path(one),
        )
    step("GeoJSON", lambda: tables.points(frozen, folder), tables.POINTS)
    for one in LISTS:
        step(
            f"Parquet of {one}",
            lambda one=one: tables.partitions(frozen, folder, one),  # type: ignore[misc]
            f"parquet/{one}/",
        )
    counted = changelog.write(frozen, folder)
    say(f"{'changes':<24} {counted['figures']} figures moved")
    describing.schemas(folder)
    describing.readme(frozen, folder, counted)
    describing.citation(frozen, folder)
    describing.datapackage(frozen, folder)
    describing.sums(folder)
    return folder


def _store(of: Release, frozen: Frozen, folder: Folder, actor: User) -> ReleaseBuild:
    """Files in their place, then the rows: what has no row is given to nobody."""
    storage.move(folder.path, of.name, frozen.build)
    try:
        with acting(actor, f"Release {of.name}, build {frozen.build}"):
            if of.pk is None:
                of.save(using="default")
                ReleaseText.objects.using("default").bulk_create(
                    ReleaseText(release=of, path=path, content=content)
                    for path, content in frozen.texts.items()
                )
            build = ReleaseBuild.objects.using("default").create(
                release=of,
                number=frozen.build,
                redacted_at=frozen.redacted_at,
                software=frozen.software.harmtracker,
                pyarrow=frozen.software.pyarrow,
            )
            ReleaseFile.objects.using("default").bulk_create(
                (
                    ReleaseFile(build=build, path=path, size=file.size, sha256=file.sha256)
                    for path, file in sorted(folder.files.items())
                ),
                batch_size=1000,
            )
    except BaseException:
        storage.remove(of.name, frozen.build)
        raise
    return build


def _known(name: str) -> Release:
    found = Release.objects.select_related("previous").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no release {name}.")
    return found


def _kept(of: Release) -> dict[str, str]:
    return dict(of.texts.values_list("path", "content"))


def standing(of: Release) -> ReleaseBuild | None:
    """The build that is given to people; None while the last one is withdrawn."""
    return of.builds.filter(withdrawal__isnull=True).first()


def rebuild(name: str, actor: User, *, say: Say = _silent) -> ReleaseBuild:
    """Write the next build of a release whose last one was withdrawn, or lost files anew.

    Where a build stands, its files are written again only if they come out with the hashes that
    the tables have. Raises :class:`NotFound`, or :class:`Conflict` where they do not.
    """
    _refuse_who_may_not(actor)
    with storage.alone():
        storage.sweep()
        of = _known(name)
        build = standing(of)
        if build is None:
            frozen = _frozen(of, _kept(of), of.builds.count() + 1, software())
            with storage.unfinished() as path:
                return _store(of, frozen, write(frozen, path, say), actor)
        if not _damaged(build):
            raise Conflict(f"{build} stands, and its files are whole: there is nothing to do.")
        frozen = _frozen(of, _kept(of), build.number, Software(build.software, build.pyarrow))
        with storage.unfinished() as path:
            differing = _differing(build, write(frozen, path, say))
            if differing:
                raise Conflict(
                    f"{build} comes out otherwise.{_versions(build)}", differences=differing
                )
            storage.move(path, of.name, build.number)
        return build


def _damaged(build: ReleaseBuild) -> list[str]:
    """The files that are not on the disk as the tables have them."""
    folder = storage.folder_of(build.release.name, build.number)
    damaged = []
    for file in build.files.all():
        found = measured(folder / file.path)
        if found is None:
            damaged.append(f"{file.path}: is not there")
        elif (found.size, found.sha256) != (file.size, file.sha256):
            damaged.append(f"{file.path}: has other bytes")
    return damaged


def _differing(build: ReleaseBuild, folder: Folder) -> list[str]:
    known = {file.path: file.sha256 for file in build.files.all()}
    made = {path: file.sha256 for path, file in folder.files.items()}
    return [
        f"{path}: comes out otherwise"
        for path in sorted(known.keys() | made.keys())
        if known.get(path) != made.get(path)
    ]


def _versions(build: ReleaseBuild) -> str:
    """What may be the reason."""
    now, then = software(), Software(build.software, build.pyarrow)
    if now == then:
        return ""
    return (
        f" It was written by harmtracker {then.harmtracker} with pyarrow {then.pyarrow}, and this "
        f"is harmtracker {now.harmtracker} with pyarrow {now.pyarrow}: use those."
    )


def verify(name: str, *, say: Say = _silent) -> ReleaseBuild:
    """Check the files of a release on the disk, and write all of them again to compare.

    Raises :class:`Conflict` that names each file which is not as the tables have it.
    """
    with storage.alone():
        of = _known(name)
        build = standing(of)
        if build is None:
            raise Conflict(f"Release {name} is withdrawn: write it again with --rebuild.")
        if damaged := _damaged(build):
            raise Conflict(
                f"{build} is not whole on the disk: write it again with --rebuild.",
                differences=damaged,
            )
        say(f"{build.files.count()} files on the disk have their hashes.")
        frozen = _frozen(of, _kept(of), build.number, Software(build.software, build.pyarrow))
        with storage.unfinished() as path:
            if differing := _differing(build, write(frozen, path, say)):
                raise Conflict(
                    f"{build} comes out of the ledger otherwise.{_versions(build)}",
                    differences=differing,
                )
    return build
