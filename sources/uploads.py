"""Files of forms on their way into storage, a piece at a time: never whole in memory, nowhere else
on disk, and whatever their name is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser

from harmtracker.errors import Invalid
from sources import storage

# What a form may hold beside its file.
FORM_BYTES = 1024 * 1024


class IntoStorage(FileUploadHandler):
    """Takes in the one file of a form as :attr:`incoming`, or says in :attr:`refusal` why not.

    A refusal ends the reading of the form; it is raised by whoever asks for the file, since the
    form is read at places that expect no refusal.
    """

    chunk_size = storage.PIECE_BYTES

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.incoming: storage.Incoming | None = None
        self.part = ""
        self.refusal: Invalid | None = None

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        if self.incoming is not None:
            self._stop(_missing("Send one file at a time."))
        self.part = field_name
        self.incoming = storage.Incoming()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.incoming is not None  # new_file comes first  # noqa: S101
        try:
            self.incoming.write(raw_data)
        except Invalid as refusal:
            self._stop(refusal)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None

    def upload_interrupted(self) -> None:
        self.refusal = _missing("The file did not come in whole: send it again.")

    def _stop(self, refusal: Invalid) -> None:
        self.refusal = refusal
        raise StopUpload(connection_reset=True)

    def taken(self) -> storage.Incoming:
        """The file, whole. Raises what was wrong with it."""
        if self.refusal is not None:
            raise self.refusal
        if self.incoming is None:
            raise _missing("Choose a file, and send it as the part named file.")
        self.incoming.finish()
        return self.incoming

    def discard(self) -> None:
        if self.incoming is not None:
            self.incoming.discard()


class NoFiles(FileUploadHandler):
    """Where no file is awaited, none is read, kept in memory or written to disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class _Limited:
    """A stream that ends with a refusal where a form with a whole file would have ended."""

    def __init__(self, stream: storage.Readable) -> None:
        self._stream = stream
        self._left = storage.MAX_BYTES + FORM_BYTES

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise storage.TooLarge
        return data


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        """One for all: names are kept nowhere."""
        return "file"


def read_form(meta: Mapping[str, Any], stream: storage.Readable, handler: IntoStorage) -> QueryDict:
    """The fields of a form whose file goes to ``handler``, also where nobody said its length."""
    length = storage.MAX_BYTES + FORM_BYTES
    limited: Any = _Limited(stream)
    parser = _Parser({**meta, "CONTENT_LENGTH": str(length)}, limited, [handler])
    fields, _files = parser.parse()
    return fields


def _missing(message: str) -> Invalid:
    return Invalid(message, fields={"file": [message]})
