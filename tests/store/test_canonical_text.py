"""One text of a value, read in one way: no other bytes are taken for it, whatever they are."""

import json
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from release_ledgers import key_of, release

from deepcity.city.errors import KeyringError, LedgerError
from deepcity.city.frozen_model import FrozenModel
from deepcity.store.canonical_text import CanonicalTextError, canonical_text, parse_canonical
from deepcity.store.release_ledger.lines import entry_of
from deepcity.store.release_ledger.release import Entry, Release
from deepcity.store.release_ledger.sheets import parse_sheet
from deepcity.store.signatures.succession import Succession, parse_succession, sign_succession


class Named(FrozenModel):
    name: str
    number: int = 0
    day: date | None = None


def refuses(data):
    with pytest.raises(CanonicalTextError) as found:
        parse_canonical(data, Named)
    return found.value


@given(st.text(), st.integers(-(2**53), 2**53), st.none() | st.dates())
def test_a_value_comes_back_from_its_text(name, number, day):
    one = Named(name=name, number=number, day=day)
    assert parse_canonical(canonical_text(one), Named) == one


@pytest.mark.parametrize(
    "text",
    [
        '{"day":null,"name":"a","number":1} ',
        '{"day":null,"name":"a","number":1}\n',
        '{"day":null, "name":"a","number":1}',
        '{"name":"a","day":null,"number":1}',
        '{"day":null,"name":"b","name":"a","number":1}',
        '{"day":null,"name":"\\u0061","number":1}',
        '{"day":null,"name":"a","number":1.0}',
        '{"day":null,"name":"a","number":"1"}',
        '{"name":"a","number":1}',
    ],
)
def test_the_same_value_in_another_text_is_refused(text):
    assert Named.model_validate_json(text) == Named(name="a", number=1)
    assert refuses(text.encode()).rewritten


def test_what_is_no_such_value_is_named_without_its_words():
    found = refuses(b'{"day":null,"name":"a","number":"my secret"}')
    assert (found.at, found.rewritten) == ("number", False)
    assert "secret" not in str(found)
    long = refuses(json.dumps({"name": "a", "x" * 500: 1}).encode())
    assert len(long.at) <= 60


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one),
).map(lambda one: json.dumps(one).encode())


@given(st.binary() | _JSON)
@example(b"\xff\xfe")
@example(b"[" * 100_000)
def test_any_bytes_are_refused_by_name(data):
    assert str(refuses(data))


def _entry(data):
    found = entry_of(data)
    if isinstance(found, str):
        raise LookupError(found)
    return found


STATEMENT = sign_succession(key_of("old"), key_of("new"), today=date(2026, 1, 1))
READERS = [
    (Entry.of(0, release(), 5), _entry, LookupError),
    (release(), lambda data: parse_sheet(data, Release, "x"), LedgerError),
    (STATEMENT, lambda data: parse_succession(data + b"\n", "x"), KeyringError),
]


@pytest.mark.parametrize(("value", "read", "error"), READERS, ids=["line", "sheet", "statement"])
def test_every_reader_of_signed_texts_takes_the_one_text_alone(value, read, error):
    text = canonical_text(value)
    assert read(text) == value
    doubled = b'{"x":1,' + text[1:]
    spaced = text.replace(b'":', b'": ', 1)
    first = text[1 : text.index(b",") + 1]
    for data in (doubled, spaced, b"{" + first + text[1:], text + b"\n\n", b""):
        with pytest.raises(error) as found:
            read(data)
        canonical = "canonical JSON" in str(found.value)
        assert canonical is (data not in (doubled, b""))


def test_a_statement_ends_with_its_line_and_no_other_way():
    data = STATEMENT.to_bytes()
    assert data.endswith(b"}\n")
    assert parse_succession(data, "x") == STATEMENT
    with pytest.raises(KeyringError, match="it was cut"):
        parse_succession(data[:-1], "x")
    assert isinstance(STATEMENT, Succession)
