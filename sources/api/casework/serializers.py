"""The shapes of outlets, articles, copies and confidential sources, as the team sends and reads."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from harmtracker.accounts.models import User
from harmtracker.api.fields import Moment, Reference, Text, Url
from harmtracker.api.serializers import EvidenceSerializer, StrictSerializer
from sources import warnings
from sources.models import Article, Capture, ConfidentialSource, CustodyEntry, Outlet


def _outlets(user: User) -> Any:
    return Outlet.objects.all()


@extend_schema_serializer(component_name="CaseworkOutlet")
class OutletSerializer(EvidenceSerializer):
    """Someone who publishes or speaks: a newspaper, an NGO, a hospital, a witness."""

    id = serializers.UUIDField(
        source="uuid", read_only=True, help_text="Its id, the same in published documents."
    )
    slug = Text(
        max_length=80,
        required=False,
        help_text="Short name for ever, of Latin letters, digits and hyphens. Left out, it follows "
        "from the name.",
    )
    independence_group = Text(
        max_length=80,
        required=False,
        help_text="Outlets and actors of one group count as one independent source. Left out: a "
        "group of its own.",
    )
    is_confidential = serializers.BooleanField(
        read_only=True, help_text="Whether it stands for a source that must not be named."
    )

    class Meta:
        model = Outlet
        fields = [
            "id",
            "slug",
            "name",
            "other_names",
            "kind",
            "country",
            "languages",
            "reliability",
            "independence_group",
            "party_to_conflict",
            "is_confidential",
        ]

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if self.instance is not None:
            fields["slug"] = serializers.CharField(read_only=True, help_text="Short name for ever.")
            # What was a group of its own stays what it is until somebody says another.
            fields["independence_group"].required = True
        return fields


class WarningSerializer(serializers.Serializer):
    """Something to look at. Nothing is refused for it."""

    code = serializers.CharField(
        help_text="nothing_kept, not_archived, undated or zawgyi, for programs."
    )
    field = serializers.CharField(help_text="The field that it is about.")
    message = serializers.CharField(help_text="What it is, in words.")


@extend_schema_serializer(component_name="CaseworkArticle")
class ArticleSerializer(EvidenceSerializer):
    """One thing an outlet published or said, on the web, on paper, on air or to us."""

    id = serializers.UUIDField(
        source="uuid", read_only=True, help_text="Its id, the same in published documents."
    )
    outlet = Reference(
        queryset=_outlets, by=("uuid", "slug"), what="outlet", help_text="Who published it."
    )
    has_capture = serializers.BooleanField(
        read_only=True, help_text="Whether a copy of it is stored."
    )
    warnings = serializers.SerializerMethodField(help_text="What to look at.")

    class Meta:
        model = Article
        fields = [
            "id",
            "outlet",
            "title",
            "authors",
            "language",
            "published",
            "summary",
            "url",
            "copy_url",
            "archive_url",
            "has_capture",
            "warnings",
        ]

    def get_warnings(self, article: Any) -> WarningSerializer(many=True):  # type: ignore[valid-type]
        found = warnings.of(article, has_capture=article.has_capture)
        return [warning._asdict() for warning in found]


class CaptureSerializer(serializers.ModelSerializer):
    """A stored copy. Its bytes never change, and leave by ``content/`` alone."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    article = serializers.UUIDField(
        source="article.uuid", read_only=True, help_text="The article that it is a copy of."
    )
    captured_by = serializers.CharField(
        source="captured_by.username", read_only=True, help_text="Who stored it."
    )
    captured_at = Moment(read_only=True, help_text="When the copy was taken, UTC.")

    class Meta:
        model = Capture
        fields = [
            "id",
            "article",
            "kind",
            "sha256",
            "size",
            "media_type",
            "requested_url",
            "final_url",
            "captured_at",
            "captured_by",
            "tool",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "requested_url": {"help_text": "The address that was asked for."},
            "final_url": {"help_text": "The address that answered."},
        }


class AboutCopySerializer(StrictSerializer):
    """What is known of how a copy was taken."""

    captured_at = Moment(
        required=False, help_text="When the copy was taken from its source. Left out: now."
    )
    tool = Text(
        max_length=100, required=False, help_text="What took it, with its version, or a person."
    )
    requested_url = Url(required=False, help_text="The address that was asked for.")
    final_url = Url(required=False, help_text="The address that answered.")


class UploadSerializer(AboutCopySerializer):
    """A file and what is known of it, as ``multipart/form-data``."""

    file = serializers.FileField(
        help_text="PDF, PNG, JPEG, GIF, WebP, TIFF, HTML or plain text, at most 50 MiB. Its kind "
        "is told by its content; its name is kept nowhere."
    )


class PastedSerializer(StrictSerializer):
    """A text that was pasted or typed."""

    text = Text(help_text="Kept byte for byte, in UTF-8.")
    captured_at = Moment(required=False, help_text="When it was copied. Left out: now.")


class CustodySerializer(serializers.ModelSerializer):
    """What was done with a copy: stored, read, handed over."""

    by = serializers.CharField(source="by.username", read_only=True, help_text="Who did it.")
    at = Moment(read_only=True, help_text="When, by the database's clock, UTC.")

    class Meta:
        model = CustodyEntry
        fields = ["action", "by", "at", "to", "purpose"]
        read_only_fields = fields


class HandedOverSerializer(StrictSerializer):
    """That a copy was given to somebody outside the team."""

    to = Text(max_length=200, help_text="To whom.")
    purpose = Text(max_length=500, required=False, allow_blank=True, help_text="What for.")


class ConfidentialSourceSerializer(serializers.ModelSerializer):
    """A source that must not be named, as the team may know of it."""

    id = serializers.UUIDField(source="uuid", read_only=True, help_text="Its id.")
    outlet = serializers.UUIDField(
        source="outlet.uuid", read_only=True, help_text="The outlet that stands for it."
    )
    description = serializers.CharField(
        source="outlet.name",
        read_only=True,
        help_text="The outlet's name: what may be said of the source.",
    )
    kind = serializers.CharField(
        source="outlet.kind", read_only=True, help_text="Code list outlet_kind."
    )

    class Meta:
        model = ConfidentialSource
        fields = ["id", "outlet", "description", "kind"]


class IdentitySerializer(StrictSerializer):
    """Who a source is. Encrypted before it is stored."""

    name = Text(max_length=500, help_text="Their name.")
    contact = Text(
        max_length=2000, required=False, allow_blank=True, help_text="How they are reached."
    )
    note = Text(
        max_length=10_000, required=False, allow_blank=True, help_text="Anything else about them."
    )


class NewConfidentialSourceSerializer(StrictSerializer):
    """Who stands behind an outlet."""

    outlet = Reference(
        queryset=_outlets,
        by=("uuid", "slug"),
        what="outlet",
        help_text="The outlet whose name says of the source what may be said.",
    )
    identity = IdentitySerializer(help_text="Who it is.")


class ReplacedIdentitySerializer(StrictSerializer):
    """Another identity in the place of the one before, which the history keeps encrypted."""

    identity = IdentitySerializer(help_text="Who it is.")
    change_reason = Text(max_length=1000, help_text="Why it is replaced.")


class RevealSerializer(StrictSerializer):
    """Why a person has to know, and that it is they who ask."""

    reason = Text(max_length=1000, help_text="Why you have to know. Kept for ever.")
    code = Text(max_length=40, help_text="A code of your second factor that was not used yet.")
