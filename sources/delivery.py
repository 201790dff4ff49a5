"""How the bytes of a stored copy leave: to be saved, run and shown by nothing."""

from __future__ import annotations

import base64
from io import BufferedReader

from django.http import FileResponse

from sources.models import Capture

ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/tiff": "tif",
    "text/html": "html",
}


def file_name(capture: Capture) -> str:
    """What a copy is saved as: a name that is ours."""
    return f"{capture.uuid}.{ENDINGS.get(capture.media_type, 'txt')}"


def headers(capture: Capture) -> dict[str, str]:
    """What goes with the bytes. ``Repr-Digest`` is their SHA-256 (RFC 9530)."""
    digest = base64.b64encode(bytes.fromhex(capture.sha256)).decode()
    return {
        "Content-Length": str(capture.size),
        "Content-Disposition": f'attachment; filename="{file_name(capture)}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
        "Repr-Digest": f"sha-256=:{digest}:",
    }


def response(capture: Capture, file: BufferedReader) -> FileResponse:
    """The bytes. ``file`` is open, and closed when they have left."""
    return FileResponse(
        file,
        as_attachment=True,
        filename=file_name(capture),
        content_type=capture.media_type,
        headers=headers(capture),
    )
