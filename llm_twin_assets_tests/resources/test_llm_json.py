"""JSON as chat models write it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.llm_json import json_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=5), VALUES, min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("reply", "meant"),
    [
        ('{"score": 4}', {"score": 4}),
        ('Sure! Here it is:\n```json\n{"score": 4}\n```\nAnything else?', {"score": 4}),
        ('<think>maybe {"score": 1}?</think>\n{"score": 4}', {"score": 4}),
        ('As [1] says: {"score": 4}', {"score": 4}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ('{"a": True, "b": None}', {"a": True, "b": None}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"a": "he said "no" loudly"}', {"a": 'he said "no" loudly'}),
        ('{"a": NaN}', {"a": None}),
    ],
)
def test_what_was_meant_is_read(reply, meant):
    assert json_of(reply) == meant


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        ('{"questions": [{"q": "a"}, {"q": "b', {"questions": [{"q": "a"}, {}]}),
        ('{"questions": ["one", "tw', {"questions": ["one"]}),
        ('{"a": "b", "c', {"a": "b"}),
        ('{"score": 4', None),  # or 42
        ('{"a": "b', None),
    ],
)
def test_of_a_reply_that_was_cut_off_only_what_came_whole_counts(reply, whole):
    assert json_of(reply) == whole


@pytest.mark.parametrize(
    "reply", ["", "I cannot do that.", "4", '"text"', "{'a': 'b'}", "{", "[" * 40_000, "x" * 100_000, '{"a": ]}']
)
def test_what_holds_no_json_is_none(reply):
    assert json_of(reply) is None


@given(OBJECTS)
def test_json_comes_out_as_it_is(value):
    assert json_of(json.dumps(value)) == value
    assert json_of(f"Here:\n```json\n{json.dumps(value, indent=1)}\n```") == value


@given(OBJECTS, st.integers(0, 200))
def test_no_string_of_a_cut_reply_was_made_up(value, length):
    said = json.dumps(value)
    assert strings(json_of(said[:length])) <= strings(value)


@given(st.text(alphabet='{}[]",:\\ax1 “”\n', max_size=60))
def test_whatever_is_said_nothing_breaks(reply):
    assert json_of(reply) is None or isinstance(json_of(reply), dict | list)


def strings(value):
    if isinstance(value, dict):
        return set(value).union(*map(strings, value.values()))
    if isinstance(value, list):
        return set().union(*map(strings, value))
    return {value} if isinstance(value, str) else set()
