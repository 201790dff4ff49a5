"""The reader of pages: what it runs, and what it takes for the same answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks, difference, run

PAGE = """\
# A page

```console
$ not run
```

```sh
X=1
```

Words between.

```sh
echo $X
echo oh >&2
```

```text
1
oh
```
"""


def test_blocks_of_a_page_with_their_answers() -> None:
    assert blocks(PAGE) == [
        Block(7, "X=1\n", None),
        Block(13, "echo $X\necho oh >&2\n", "1\noh\n"),
    ]


def test_blocks_are_run_in_one_shell_until_one_fails(tmp_path: Path) -> None:
    assert run(blocks(PAGE), environment=os.environ, folder=tmp_path) == ["", "1\noh\n"]
    failing = [Block(1, "echo a; false; echo b", None), Block(2, "echo c", None)]
    assert run(failing, environment=os.environ, folder=tmp_path) == ["a\n"]


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ("a\n", "a"),
        ("a\n...\nd\n", "a\nb\nc\nd\n"),
        ("a\n  ...\nd\n", "a\nd\n"),
        ("a ... d", "a b c d"),
        ('"at": "2026-11-23T21:04:18.085833Z"', '"at": "2027-01-01T00:00:00Z"'),
        ("at 2026-11-23 21:04 UTC", "at 2027-01-01 00:00 UTC"),
        ("f52ba2db-08b0-43a4-a4ad-1c1360e14867", "5c5edcb3-282d-4ab0-8baa-f39c16f0cda1"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:43211/x"),
    ],
)
def test_the_same_answer(expected: str, came: str) -> None:
    assert difference(expected, came) is None


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ("a", "b"),
        ("a", "a\nb"),
        ("", "b"),
        ("a\nb", "a"),
        ("a\n...\nd", "a\nb\nc"),
        ("a ... d", "a b\nc d"),
        ('"max": 5', '"max": 4'),
        ('"f52ba2db-17"', '"f52ba2db-18"'),
    ],
)
def test_another_answer(expected: str, came: str) -> None:
    assert difference(expected, came) is not None
