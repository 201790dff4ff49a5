"""Canonical JSON is the one of RFC 8785, whichever encoder wrote it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from incidents.publishing.canonical import canonical

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) - 2, 2**53 + 2)
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Cc", "Lo"]))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.text("abcXYZ_é\U0001f600\ue000"), inner)
    ),
    max_leaves=20,
)


class Code(StrEnum):
    KILLED = "killed"


def outcome(write: Any, value: Any) -> Any:
    try:
        return write(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        return type(error)


@given(VALUES)
@example({"\U0001f600": 1, "\ue000": 2})
@example([1e-7, 1e21, 1e16, 1e15, 123456789012345.6, 0.0001, 0.00001, -0.0, 81.0, 0.1 + 0.2])
@example({"a": '\x00\x1f\x7f\x80\u2028\u2029"\\/\b\f\n\r\t', "B": "é\U0001f600"})
@example([2**53, -(2**53)])
@example(["\ud800"])
@example({"\ud800": 1})
@example([float("nan")])
def test_the_same_bytes_and_the_same_refusals(value: Any) -> None:
    assert outcome(canonical, value) == outcome(lambda v: rfc8785.dumps(v).decode("utf-8"), value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {"a": {True: 1}}, {1}, b"bytes"])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)


def test_codes_and_tuples_as_before() -> None:
    assert canonical({"code": Code.KILLED, "pair": (1, 2)}) == '{"code":"killed","pair":[1,2]}'
