"""What a file is, told from its bytes: a closed list, and nothing is unpacked, drawn or parsed.

What a name or a client says of a file decides nothing.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from harmtracker.errors import Invalid

TEXT_UTF_8 = "text/plain; charset=utf-8"
TEXT_UTF_16 = "text/plain; charset=utf-16"
# Kind of copy, as in the code list capture_kind -> the media types it can have.
MEDIA_TYPES: dict[str, list[str]] = {
    "pdf": ["application/pdf"],
    "image": ["image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff"],
    "html": ["text/html"],
    "text": [TEXT_UTF_8, TEXT_UTF_16],
}
TAKEN = "Taken are PDF, PNG, JPEG, GIF, WebP, TIFF, HTML and plain text (UTF-8 or UTF-16)."

# Bytes that are looked at before the rest of a file is taken in.
HEAD_BYTES = 4096
# The last bytes of a file, where a zip archive has the record that it is read from.
TAIL_BYTES = 65_557

_SIGNATURES = [
    ("application/pdf", re.compile(rb"%PDF-[12]\.[0-9]")),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR", re.DOTALL)),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL)),
    ("image/tiff", re.compile(rb"II[*+]\x00|MM\x00[*+]")),
]
# What a browser takes for HTML by its first tag (WHATWG MIME Sniffing, 7.1).
_HTML = re.compile(
    r"\s*+(?:<\?xml[^>]{0,200}+>\s*+)?+(?:(?><!--.*?-->)\s*+)*+"
    r"<(?:!DOCTYPE\s+HTML|HTML|HEAD|BODY|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BR|P)[\s/>]",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT_FIRST = re.compile(r"\s*<!--")
_MARKUP = re.compile(r"\s*<[!?a-z]", re.IGNORECASE)
# Written in letters, and yet no text for a reader.
_OTHER_TEXT = re.compile(r"\{\\rtf|%!PS|#!")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
_LATE_PDF = re.compile(r"%PDF-[12]\.")
_ZIP_END = b"PK\x05\x06"


class Judged(NamedTuple):
    """What a file is."""

    kind: str
    media_type: str


def _refused(what: str) -> Invalid:
    message = f"{what} {TAKEN}"
    return Invalid(message, fields={"file": [message]})


class Judge:
    """Judges a file while it comes in: :meth:`take` each piece, then ask :meth:`verdict`.

    Memory and time do not depend on what the file says of itself.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        """``as_text``: it was typed or pasted, and so is text whatever it looks like."""
        self._as_text = as_text
        self._head = b""
        self._tail = bytearray()
        self._begun = False
        self._judged: Judged | None = None
        self._decoder: codecs.IncrementalDecoder | None = None

    def take(self, data: bytes) -> None:
        """The next bytes. Raises :class:`Invalid` as soon as the file cannot be one of the list."""
        self._tail += data
        if len(self._tail) > 4 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]
        if not self._begun:
            self._head += data
            if len(self._head) < HEAD_BYTES:
                return
            data = self._begin()
        self._go_on(data)

    def verdict(self) -> Judged:
        """What the file is, now that all of it was taken. Raises :class:`Invalid`."""
        if not self._begun:
            self._go_on(self._begin())
        self._go_on(b"", final=True)
        assert self._judged is not None  # _begin sets it or raises  # noqa: S101
        if self._judged.kind in ("pdf", "image") and self._ends_as_zip():
            raise _refused("The file is a zip archive as well.")
        return self._judged

    def _begin(self) -> bytes:
        """Judge by the first bytes, and hand them on to be read as text where it is one."""
        head, self._begun, self._head = self._head, True, b""
        if not head:
            raise _refused("The file is empty.")
        if not self._as_text:
            for media_type, signature in _SIGNATURES:
                if signature.match(head):
                    self._judged = Judged("pdf" if "pdf" in media_type else "image", media_type)
                    return head
        self._judged = self._as_writing(head)
        return head

    def _as_writing(self, head: bytes) -> Judged:
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding, media_type = "utf-16", TEXT_UTF_16
        else:
            encoding, media_type = "utf-8", TEXT_UTF_8
        beginning = head.decode(encoding, "replace").removeprefix("\ufeff")
        if self._as_text:
            self._decoder = codecs.getincrementaldecoder(encoding)("strict")
            return Judged("text", media_type)
        if _HTML.match(beginning) or (
            _COMMENT_FIRST.match(beginning) and "<html" in beginning.casefold()
        ):
            if encoding == "utf-16":
                self._decoder = codecs.getincrementaldecoder(encoding)("strict")
            # Pages are kept as they were served, in whatever 8-bit encoding.
            return Judged("html", "text/html")
        if _MARKUP.match(beginning):
            raise _refused("The file is XML, SVG or another markup.")
        if _OTHER_TEXT.match(beginning) or _LATE_PDF.search(beginning[:1100]):
            raise _refused("The file is of a format that is not taken, or of two at once.")
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        return Judged("text", media_type)

    def _go_on(self, data: bytes, *, final: bool = False) -> None:
        assert self._judged is not None  # noqa: S101
        if self._judged.kind in ("pdf", "image"):
            return
        if self._decoder is None:
            is_binary = _CONTROL_BYTES.search(data) is not None
        else:
            try:
                is_binary = _CONTROL.search(self._decoder.decode(data, final)) is not None
            except UnicodeDecodeError:
                is_binary = True
        if is_binary:
            raise _refused("The file is none of the formats that are taken.")

    def _ends_as_zip(self) -> bool:
        """Whether a zip's last record ends where the file does, its comment included."""
        tail = bytes(self._tail[-TAIL_BYTES:])
        at = tail.find(_ZIP_END)
        while at >= 0:
            comment = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + 22 + comment == len(tail):
                return True
            at = tail.find(_ZIP_END, at + 1)
        return False
