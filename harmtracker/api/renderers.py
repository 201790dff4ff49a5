"""What an answer is written as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder


class StoredJSONRenderer(BaseRenderer):
    """JSON. What is stored as JSON already passes byte for byte, as it was hashed."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if isinstance(data, bytes):
            return data
        if isinstance(data, str):
            return data.encode("utf-8")
        if data is None:
            return b""
        return json.dumps(
            data, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode("utf-8")


class OpenAPIJSONRenderer(StoredJSONRenderer):
    media_type = "application/vnd.oai.openapi+json"


class OpenAPIYAMLRenderer(StoredJSONRenderer):
    """Bytes of YAML, passed on."""

    media_type = "application/vnd.oai.openapi"
    format = "yaml"


class ShortYAMLRenderer(OpenAPIYAMLRenderer):
    media_type = "application/yaml"
