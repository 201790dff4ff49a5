"""Releases: files of a ledger position, which do not change. Only what tables name is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.db.models import Count, Sum
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from harmtracker.api import conditional
from harmtracker.api.problems import Problem
from harmtracker.api.schema import ProblemSerializer, describe
from harmtracker.api.throttling import FILES
from harmtracker.licence import DATA_LICENCE
from incidents.choices import ReleaseState
from incidents.models import Release, ReleaseBuild, ReleaseFile
from incidents.models.releases import NAME, PATH
from incidents.releases import storage

from . import ranges, reading
from .lists import PublicView

_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_BLOCK = 256 * 1024
MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
    "cff": "application/yaml",
}
OTHER_TYPE = "text/plain; charset=utf-8"


class ReleaseFileSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="Where it lies in the release.")
    url = serializers.URLField(help_text="Its address. The bytes there never change.")
    bytes = serializers.IntegerField(help_text="Its length.")
    sha256 = serializers.CharField(help_text="Its SHA-256, which is its ETag as well.")
    media_type = serializers.CharField(help_text="What it is.")


class WithdrawnFileSerializer(serializers.Serializer):
    path = serializers.CharField(help_text="Where it lay in the release.")
    bytes = serializers.IntegerField(help_text="Its length.")
    sha256 = serializers.CharField(help_text="Its SHA-256, for whoever has a copy.")


class BuildSerializer(serializers.Serializer):
    """The files that stand."""

    number = serializers.IntegerField(help_text="1, 2, 3 ... of the release.")
    redacted_at = serializers.IntegerField(
        help_text="Ledger position of the last redaction of what it holds; 0 where there is none."
    )
    harmtracker = serializers.CharField(help_text="Version of the software that wrote it.")
    pyarrow = serializers.CharField(help_text="Version of the library that wrote Parquet.")
    url = serializers.URLField(help_text="What addresses of its files start with.")
    files = ReleaseFileSerializer(many=True, help_text="All of them, by path.")


class WithdrawnBuildSerializer(serializers.Serializer):
    """A build that is given to nobody any more."""

    number = serializers.IntegerField(help_text="1, 2, 3 ... of the release.")
    position = serializers.IntegerField(help_text="Ledger position of the redaction.")
    reason = serializers.CharField(help_text="Why a text was taken out.")
    files = WithdrawnFileSerializer(many=True, help_text="What it held.")


class ReleaseSummarySerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Year and number, such as 2026.1.")
    position = serializers.IntegerField(help_text="Ledger position that it holds.")
    moment = serializers.CharField(help_text="When the ledger came to it.")
    state = serializers.ChoiceField(
        choices=ReleaseState.choices,
        help_text="withdrawn: a text was taken out, and new files are to come.",
    )
    build = serializers.IntegerField(allow_null=True, help_text="Number of the build that stands.")
    files = serializers.IntegerField(help_text="How many files it has.")
    bytes = serializers.IntegerField(help_text="How long they are together.")
    url = serializers.URLField(help_text="Its address.")


class ReleasesSerializer(serializers.Serializer):
    results = ReleaseSummarySerializer(many=True, help_text="The latest position first.")


class ReleaseSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Year and number, such as 2026.1.")
    position = serializers.IntegerField(help_text="Ledger position that it holds.")
    moment = serializers.CharField(help_text="When the ledger came to it.")
    previous = serializers.CharField(
        allow_null=True, help_text="The release before, since which changes/ says what moved."
    )
    licence = serializers.JSONField(help_text="On what terms it may be used.")
    citation = serializers.CharField(help_text="A sentence to cite it by.")
    state = serializers.ChoiceField(
        choices=ReleaseState.choices,
        help_text="withdrawn: a text was taken out, and new files are to come.",
    )
    build = BuildSerializer(allow_null=True, help_text="What stands; null while nothing does.")
    withdrawn = WithdrawnBuildSerializer(many=True, help_text="What stood before.")


class WithdrawnSerializer(ProblemSerializer):
    """What stands in the place of a file that was withdrawn."""

    release = serializers.CharField(help_text="Name of the release.")
    build = serializers.IntegerField(help_text="Number of the build that was withdrawn.")
    path = serializers.CharField(help_text="Where the file lay.")
    sha256 = serializers.CharField(help_text="SHA-256 of what it was.")
    position = serializers.IntegerField(help_text="Ledger position of the redaction.")
    reason = serializers.CharField(help_text="Why a text was taken out.")
    url = serializers.URLField(help_text="The release, which says what stands now.")


def media_type(path: str) -> str:
    return MEDIA_TYPES.get(path.rsplit(".", 1)[-1], OTHER_TYPE)


def _in_path(name: str, description: str, kind: type = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


_NAME = _in_path("name", "Name of the release, such as 2026.1.")


def _release(name: str) -> Release:
    found = None
    if re.fullmatch(NAME, name, re.ASCII):
        releases = Release.objects.using("published").select_related("previous")
        found = releases.filter(name=name).first()
    if found is None:
        raise Problem("not-found")
    return found


@describe("listReleases", summary="Releases", tag="Releases", ok=ReleasesSerializer)
class ReleaseListView(PublicView):
    """Every release, the latest ledger position first."""

    def get(self, request: Request) -> Any:
        builds = ReleaseBuild.objects.using("published").filter(withdrawal__isnull=True)
        counted = builds.annotate(count=Count("files"), size=Sum("files__size"))
        standing = {build.release_id: build for build in counted}
        results = []
        for release in Release.objects.using("published").order_by("-position", "-pk"):
            build = standing.get(release.pk)
            results.append(
                {
                    "name": release.name,
                    "position": release.position,
                    "moment": reading.moment(release.position),
                    "state": "stands" if build else "withdrawn",
                    "build": build.number if build else None,
                    "files": build.count if build else 0,
                    "bytes": build.size if build else 0,
                    "url": request.build_absolute_uri(reverse("release", args=[release.name])),
                }
            )
        return self.whole({"results": results})


@describe(
    "getRelease",
    summary="One release",
    tag="Releases",
    parameters=[_NAME],
    ok=ReleaseSerializer,
    found_by_path=True,
)
class ReleaseView(PublicView):
    """What a release holds: each file with its address, length and SHA-256.

    Files never change. Where a text was taken out of what they hold, they are withdrawn at once,
    listed as such with their hashes, and a new build comes.
    """

    def get(self, request: Request, name: str) -> Any:
        release = _release(name)
        builds = ReleaseBuild.objects.using("published").filter(release=release)
        found = builds.select_related("withdrawal__redaction").order_by("number")
        every = [*found.prefetch_related("files")]
        standing = [build for build in every if not hasattr(build, "withdrawal")]
        return self.whole(
            {
                "name": release.name,
                "position": release.position,
                "moment": reading.moment(release.position),
                "previous": release.previous.name if release.previous else None,
                "licence": DATA_LICENCE,
                "citation": f"harmtracker, release {release.name}, at ledger position "
                f"{release.position}",
                "state": "stands" if standing else "withdrawn",
                "build": self._build(release, standing[0]) if standing else None,
                "withdrawn": [self._withdrawn(b) for b in every if hasattr(b, "withdrawal")],
            }
        )

    def _build(self, release: Release, build: ReleaseBuild) -> dict[str, Any]:
        def address(path: str) -> str:
            return self.request.build_absolute_uri(
                reverse("release-file", args=[release.name, build.number, path])
            )

        return {
            "number": build.number,
            "redacted_at": build.redacted_at,
            "harmtracker": build.software,
            "pyarrow": build.pyarrow,
            "url": address("x").removesuffix("x"),
            "files": [
                {
                    "path": file.path,
                    "url": address(file.path),
                    "bytes": file.size,
                    "sha256": file.sha256,
                    "media_type": media_type(file.path),
                }
                for file in build.files.all()
            ],
        }

    @staticmethod
    def _withdrawn(build: ReleaseBuild) -> dict[str, Any]:
        redaction = build.withdrawal.redaction
        return {
            "number": build.number,
            "position": redaction.entry_id,
            "reason": redaction.public_reason,
            "files": [
                {"path": file.path, "bytes": file.size, "sha256": file.sha256}
                for file in build.files.all()
            ],
        }


@describe(
    "getReleaseFile",
    summary="One file of a release",
    tag="Releases",
    parameters=[
        _NAME,
        _in_path("number", "Number of the build.", int),
        _in_path("path", "Where the file lies in the release, such as csv/claims.csv."),
        OpenApiParameter(
            "Range",
            str,
            OpenApiParameter.HEADER,
            description="One range of bytes. Several at once are answered with the whole file.",
        ),
        OpenApiParameter(
            "If-Range",
            str,
            OpenApiParameter.HEADER,
            description="The ETag of the part that one has; with another, the whole file comes.",
        ),
    ],
    ok=OpenApiTypes.BINARY,
    found_by_path=True,
    also=(*MEDIA_TYPES.values(), OTHER_TYPE),
    more={
        206: OpenApiResponse(OpenApiTypes.BINARY, description="The range asked for."),
        410: WithdrawnSerializer,
        416: ProblemSerializer,
    },
)
class ReleaseFileView(PublicView):
    """The bytes of a file, whole or a range of them. Its ETag is its SHA-256.

    A file that was withdrawn answers 410, with its hash and the reason. Files are counted by
    themselves, at a higher rate: a large release has over a thousand.
    """

    counted_as = FILES

    def get(self, request: Request, name: str, number: str, path: str) -> HttpResponseBase:
        file = self._file(name, number, path)
        etag = f'"{file.sha256}"'
        headers = {**conditional.headers(etag), "Accept-Ranges": "bytes"}
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        part = self._range(request, file, etag)
        headers |= {
            "Content-Type": media_type(file.path),
            "Content-Disposition": f'attachment; filename="{file.path.rsplit("/", 1)[-1]}"',
            "Content-Length": str(part.length if part else file.size),
            "Link": f'<{DATA_LICENCE["url"]}>; rel="license"',
        }
        if part:
            headers["Content-Range"] = f"bytes {part.first}-{part.last}/{file.size}"
        first, length = (part.first, part.length) if part else (0, file.size)
        content = _Part(self._open(storage.folder_of(name, int(number)), file), first, length)
        if request.method == "HEAD":
            content.close()
            return HttpResponse(headers=headers)
        return StreamingHttpResponse(content, status=206 if part else 200, headers=headers)

    def _file(self, name: str, number: str, path: str) -> ReleaseFile:
        """The row of that very name, if it stands."""
        release = _release(name)
        file = None
        if _NUMBER.fullmatch(number) and re.fullmatch(PATH, path, re.ASCII):
            files = ReleaseFile.objects.using("published").filter(
                build__release=release, build__number=int(number), path=path
            )
            file = files.select_related("build__withdrawal__redaction").first()
        if file is None:
            raise Problem("not-found")
        if hasattr(file.build, "withdrawal"):
            redaction = file.build.withdrawal.redaction
            raise Problem(
                "withdrawn",
                release=release.name,
                build=file.build.number,
                path=file.path,
                sha256=file.sha256,
                position=redaction.entry_id,
                reason=redaction.public_reason,
                url=self.request.build_absolute_uri(reverse("release", args=[release.name])),
            )
        return file

    @staticmethod
    def _range(request: Request, file: ReleaseFile, etag: str) -> ranges.Range | None:
        header = request.META.get("HTTP_RANGE", "")
        if not header or request.method == "HEAD":
            return None
        if request.META.get("HTTP_IF_RANGE", etag).strip() != etag:
            return None
        try:
            return ranges.asked(header, file.size)
        except ranges.Beyond:
            length = {"Content-Range": f"bytes */{file.size}"}
            raise Problem("range-not-satisfiable", headers=length) from None

    @staticmethod
    def _open(folder: Path, file: ReleaseFile) -> BinaryIO:
        """The file, if it is there as its row has it."""
        try:
            opened = (folder / file.path).open("rb")
        except OSError:
            raise _missing() from None
        if opened.seek(0, 2) != file.size:
            opened.close()
            raise _missing()
        return opened


def _missing() -> Problem:
    return Problem(
        "unavailable", "The file is not at hand at the moment.", headers={"Retry-After": "60"}
    )


class _Part:
    """Bytes of a file in blocks, closed when the answer is over, read or not."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file = file
        self._length = length
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        try:
            while left and (block := self._file.read(min(_BLOCK, left))):
                left -= len(block)
                yield block
        finally:
            self._file.close()

    def close(self) -> None:
        self._file.close()
