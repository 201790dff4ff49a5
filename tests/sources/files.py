"""Files as people send them, honest ones and others, made here byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib


def png(width: int = 1, height: int = 1) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def zipped(name: str = "a.txt", size: int = 10) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    return file.getvalue()


PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
# One stream that says it inflates to 10 GB, through many filters.
PDF_BOMB = (
    b"%PDF-1.5\n1 0 obj << /Length 99 /Filter ["
    + b"/FlateDecode " * 200
    + b"] >> stream\n"
    + zlib.compress(bytes(10_000_000))
    + b"\nendstream endobj\n%%EOF"
)
BILLION_LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol "lol">'
    b'<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><lolz>&lol2;</lolz>'
)
XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'

# name -> (bytes, kind, media type)
TAKEN: dict[str, tuple[bytes, str, str]] = {
    "pdf": (PDF, "pdf", "application/pdf"),
    "pdf 2.0": (b"%PDF-2.0\n%\xe2\xe3\xcf\xd3\n", "pdf", "application/pdf"),
    "png": (png(), "image", "image/png"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(50), "image", "image/jpeg"),
    "gif": (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "image", "image/gif"),
    "webp": (b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00" + bytes(13), "image", "image/webp"),
    "tiff, little end": (b"II*\x00\x08\x00\x00\x00" + bytes(20), "image", "image/tiff"),
    "tiff, big end": (b"MM\x00*\x00\x00\x00\x08" + bytes(20), "image", "image/tiff"),
    "html": (b"<!DOCTYPE html>\n<html><body>Two killed</body></html>", "html", "text/html"),
    "html, latin-1": (b"<html><body>caf\xe9</body></html>", "html", "text/html"),
    "html after a comment": (b"<!-- saved --> <!-- x --><html>", "html", "text/html"),
    "xhtml": (b'<?xml version="1.0"?>\n<!DOCTYPE html><html/>', "html", "text/html"),
    "html, utf-16": ("\ufeff<html>မြန်မာ".encode("utf-16-le"), "html", "text/html"),
    "text": (b"Two people were killed.\r\n", "text", "text/plain; charset=utf-8"),
    "text, burmese": ("မြန်မာ\u200b".encode(), "text", "text/plain; charset=utf-8"),
    "text, with bom": (b"\xef\xbb\xbfTwo", "text", "text/plain; charset=utf-8"),
    "text, utf-16 le": ("\ufeffမြန်မာ".encode("utf-16-le"), "text", "text/plain; charset=utf-16"),
    "text, utf-16 be": ("\ufeffTwo".encode("utf-16-be"), "text", "text/plain; charset=utf-16"),
    "text that begins with <": (b"<3 people were killed", "text", "text/plain; charset=utf-8"),
    "one letter": (b"x", "text", "text/plain; charset=utf-8"),
    # What bombs are made of is taken where its kind is, since nothing opens it.
    "png of 50,000 x 50,000": (png(50_000, 50_000), "image", "image/png"),
    "pdf bomb": (PDF_BOMB, "pdf", "application/pdf"),
}

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "zip": zipped(),
    "zip bomb": zipped(size=100_000_000),
    "docx": zipped("[Content_Types].xml"),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(30),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(30),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(30),
    "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "rtf": b"{\\rtf1\\ansi Two killed}",
    "postscript": b"%!PS-Adobe-3.0\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg with a declaration": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
    "billion laughs": BILLION_LAUGHS,
    "external entity": XXE,
    "xml": b"<kml><Document/></kml>",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
    "pe": b"MZ\x90\x00\x03" + bytes(60),
    "macho": b"\xcf\xfa\xed\xfe" + bytes(60),
    "java": b"\xca\xfe\xba\xbe\x00\x00\x004" + bytes(60),
    "script": b"#!/bin/sh\nrm -rf /\n",
    "mp4": b"\x00\x00\x00\x20ftypisom" + bytes(60),
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(60),
    "bmp": b"BM" + bytes(60),
    "ico": b"\x00\x00\x01\x00" + bytes(60),
    "random, as an encrypted container": bytes((i * 197 + 13) % 256 for i in range(5000)),
    "pdf, late": b"xx\n%PDF-1.4\n",
    "png, late": b"\x00" + png(),
    "pdf and zip": PDF + zipped(),
    "png and zip with a comment": png() + zipped()[:-2] + b"\x05\x00hello",
    "text with NUL": b"Two\x00 killed",
    "text with a late control character": b"a" * 300_000 + b"\x07",
    "text with late bad utf-8": b"a" * 300_000 + b"\xff",
    "text cut within a letter": "မြန်မာ".encode()[:-1],
    "text with half a pair": b"\xed\xa0\x80",
    "utf-16 without a mark": "Two killed".encode("utf-16-le"),
    "utf-32": "\ufeffTwo".encode("utf-32-le"),
    "html with NUL": b"<html>\x00",
}

HOSTILE_NAMES = [
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "/",
    ".",
    "..",
    "....//....//x",
    "~root/.ssh/authorized_keys",
    "CON",
    "NUL.txt",
    "aux.pdf",
    "COM1",
    "a:b",
    "a|b<c>d?e*f",
    ".htaccess",
    "x.php",
    "x.pdf.exe",
    "x" * 5000,
    "x\u202efdp.exe",
    "မှတ်တမ်း.pdf",
    "%2e%2e%2f%2e%2e%2fx",
    "..%c0%af..%c0%afx",
    "file:///etc/passwd",
    "\\\\host\\share\\x",
    "-rf",
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "incoming/x",
    "ab/cd/" + "0" * 64,
    " ",
    "x\\",
]
