"""What the engine brings from a site is another party's message: it may be anything."""

import pytest

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from deepcity.exchange.flare import engine
from deepcity.exchange.flare.engine import EngineWire
from deepcity.exchange.flare.link import ANSWER, LOST

FIELDS = {"kind": ANSWER, "text": "", "blob": b"12345", "counts": []}


class Site:
    """A site's proxy that answers with what a test gives it."""

    def __init__(self, found):
        self.found = found

    def __call__(self, timeout):
        return self

    def answer(self, task, blob):
        return self.found


def test_answer_is_carried():
    reply = EngineWire({"a": Site(FIELDS)}).ask("a", "t", b"", 1.0)
    assert (reply.kind, reply.blob) == (ANSWER, b"12345")


@pytest.mark.parametrize("blob", ["text", 5, None, [1], b"123456"])
def test_answer_of_another_kind_or_too_large_is_none(blob, monkeypatch):
    monkeypatch.setattr(engine, "MOST_BYTES", 5)
    reply = EngineWire({"a": Site({**FIELDS, "blob": blob})}).ask("a", "t", b"", 1.0)
    assert reply.kind == LOST
    assert "not one" in reply.text


@pytest.mark.parametrize("found", [None, "x", [], {"kind": ANSWER}])
def test_answer_without_its_fields_is_none(found):
    assert EngineWire({"a": Site(found)}).ask("a", "t", b"", 1.0).kind == LOST
