"""Stepping through JSON text finds the same entries as the standard library."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gytbench.predictions.scanning import entries, kind_of, members, numbered_lines

from .tubes import JSON, TEXT

# Brackets, quotes, commas and backslashes inside strings are what a scanner trips over.
NASTY = st.text('[]{}",:\\\n a\u00e9', max_size=8) | TEXT
VALUES = st.recursive(
    JSON | NASTY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NASTY, inner, max_size=4),
    max_leaves=10,
)
LAYOUTS = st.sampled_from(({}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}))


@given(st.lists(VALUES, max_size=5), LAYOUTS)
def test_entries_of_an_array(values: list[Any], layout: dict[str, Any]) -> None:
    text = json.dumps(values, **layout).encode()
    assert [json.loads(bytes(entry)) for entry in entries(text)] == values


@given(st.dictionaries(NASTY, VALUES, max_size=5), LAYOUTS)
def test_members_of_an_object(values: dict[str, Any], layout: dict[str, Any]) -> None:
    text = json.dumps(values, **layout).encode()
    assert [(key, json.loads(bytes(value))) for key, value in members(text)] == list(values.items())


def test_repeated_members_are_all_there() -> None:
    assert [(k, bytes(v)) for k, v in members(b'{"a" : 1, "a":[2,{}] ,"a":{"a":3} }')] == [
        ("a", b"1"),
        ("a", b"[2,{}] "),
        ("a", b'{"a":3} '),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b" {}", "an object"),
        (b"\n[1]", "an array"),
        (b'"x"', "a string"),
        (b"-1.5", "a number"),
        (b"null", "null"),
        (b"true", "true"),
        (b"false", "false"),
    ],
)
def test_kind_of_a_value(text: bytes, kind: str) -> None:
    assert kind_of(text) == kind


def test_lines_are_numbered_as_an_editor_does() -> None:
    # The first line holds the header, blank or not; other blank lines say nothing.
    lines = numbered_lines(b"\nsecond\r\n  \n\nfifth")
    assert list(lines) == [(1, b""), (2, b"second\r"), (5, b"fifth")]
    assert list(numbered_lines(b"")) == []
    assert list(numbered_lines(b"one\n")) == [(1, b"one")]
