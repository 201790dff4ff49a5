"""The page on which a file is uploaded, or a text pasted, as a stored copy of an article."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.errors import DomainError, Invalid
from harmtracker.fields import validate_address
from sources import services, uploads
from sources.models import Article


class AttachForm(forms.Form):
    """What is known of a copy. The file itself goes past the form, into storage."""

    text = ExactText(
        required=False,
        label="Or paste what it says",
        help_text="Kept letter by letter. A browser sends each line break as CRLF; where that "
        "matters, save the text as a file and upload it.",
        widget=forms.Textarea(attrs={"rows": 10, "class": "vLargeTextField"}),
    )
    requested_url = ExactText(
        required=False,
        max_length=2000,
        validators=[validate_address],
        label="Address it was taken from",
        help_text="If it was saved from the web. Nobody fetches it.",
        widget=forms.TextInput(attrs={"class": "vURLField"}),
    )
    tool = ExactText(
        required=False,
        max_length=100,
        label="What took it",
        help_text="A program with its version, a scanner, a person.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def attach_view(request: HttpRequest, article_id: int) -> HttpResponse:
    """GET: the form. POST: one copy more, from a file or a pasted text."""
    if not person(request).has_perm("sources.add_capture"):
        raise PermissionDenied
    article = get_object_or_404(Article, pk=article_id)
    handler = uploads.IntoStorage(request)
    if request.method == "POST":
        request.upload_handlers = [handler]
    try:
        return _attach(request, article, handler)
    finally:
        handler.discard()


@csrf_protect
def _attach(request: HttpRequest, article: Article, handler: uploads.IntoStorage) -> HttpResponse:
    is_sent = request.method == "POST"
    form = AttachForm(request.POST if is_sent else request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _capture, is_new = _keep(request, article, handler, form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, in_words(refusal))
            if handler.incoming is not None:
                form.add_error(None, "The file was not stored: choose it again.")
        else:
            messages.success(
                request,
                "The copy is stored." if is_new else "This copy was stored already, and stays.",
            )
            return HttpResponseRedirect(admin_url("sources_article_change", article.pk))
    return TemplateResponse(
        request,
        "admin/sources/attach.html",
        {
            **admin.site.each_context(request),
            "title": "Attach a copy",
            "opts": Article._meta,
            "article": article,
            "form": form,
        },
    )


def _keep(
    request: HttpRequest, article: Article, handler: uploads.IntoStorage, said: dict[str, Any]
) -> tuple[Any, bool]:
    by = person(request)
    text = said["text"]
    about = {"requested_url": said["requested_url"] or None}
    if text and handler.incoming is not None:
        raise Invalid("Upload a file or paste a text, not both at once.")
    if text:
        return services.paste(article, text, by=by, **about, tool=said["tool"] or "pasted text")
    return services.keep(article, handler.taken(), by=by, **about, tool=said["tool"] or "upload")
