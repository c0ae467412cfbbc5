"""The committed page and its source: both languages whole, nothing from outside."""

import gzip
import json
import re
from pathlib import Path

import pytest

import deepcity

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "frontend"
STATIC = Path(deepcity.__file__).parent / "web" / "static"
WORDS = {
    name: json.loads((SOURCE / "src" / "words" / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("en", "ko")
}
FILES = sorted(
    path
    for folder in ("src", "basemap")
    for path in (SOURCE / folder).rglob("*")
    if path.suffix in {".ts", ".tsx", ".css", ".mjs", ".py"}
)
FIRST_VIEW_KB = 600
LATER = {"drawing"}
"""Chunks that come when an operator begins something; all others count to the first view."""
TEXT = "".join(path.read_text(encoding="utf-8") for path in FILES)


def test_both_languages_have_the_same_keys_and_gaps():
    assert list(WORDS["en"]) == list(WORDS["ko"])
    gaps = {
        name: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in words.items()}
        for name, words in WORDS.items()
    }
    assert gaps["en"] == gaps["ko"]


def test_korean_is_korean():
    same = {"–", "h1", "h2", "h3", "h4", "h5", "head", "{low}~{high}"}
    assert [
        key
        for key, text in WORDS["ko"].items()
        if text not in same and not re.search("[가-힣]", text)
    ] == []


def test_every_word_is_used():
    """The other way round is the compiler's: it knows the keys."""
    grouped = set(re.findall(r'word\("(\w+)"', TEXT))
    grouped |= set(re.findall(r"(?:t\(|= )`(\w+)\.", TEXT))
    used = set(re.findall(r'"(\w+\.\w+)"', TEXT))
    single = {key for key in WORDS["en"] if key.split(".")[0] not in grouped}
    assert single - used == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_file_of_the_page_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_page_names_only_files_that_are_there():
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="\./([^"]+)"', page)
    assert len(named) >= 3
    assert [name for name in named if not (STATIC / name).is_file()] == []
    scripts = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("assets/index-*.js"))
    assets = set(re.findall(r"[\w.-]+-[\w-]{8}\.(?:js|mjs|css)", scripts))
    assert {name for name in assets if not (STATIC / "assets" / name).is_file()} == set()


def test_the_page_loads_nothing_from_outside():
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)=["\']?(?:https?:)?//', page)
    for path in STATIC.glob("assets/*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"url\([\"']?https?:|@import", text), path.name


def test_it_is_an_inline_free_page():
    """So that its server's policy needs no exception."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []


def zipped_kb(path):
    """As a server sends it."""
    return len(gzip.compress(path.read_bytes())) / 1000


def test_the_first_view_is_small():
    """A number of bytes, which is the same on every machine: page, scripts, styles."""
    files = [STATIC / "index.html", *(STATIC / "assets").iterdir()]
    sizes = {path.name: zipped_kb(path) for path in files if path.stem.split("-")[0] not in LATER}
    assert {"index", "maplibre", "uPlot.esm"} <= {name.split("-")[0] for name in sizes}
    assert sum(sizes.values()) <= FIRST_VIEW_KB, sizes


def test_what_comes_later_is_not_part_of_another_chunk_that_comes_first():
    first = [path for path in STATIC.glob("assets/*js") if path.stem.split("-")[0] not in LATER]
    for name in LATER:
        (chunk,) = STATIC.glob(f"assets/{name}-*.js")
        at_once = re.compile(rf"(?:from|import)\s*[\"'`]\./{re.escape(chunk.name)}")
        named = [path.name for path in first if chunk.name in path.read_text(encoding="utf-8")]
        assert named  # or nobody opens it
        assert [p.name for p in first if at_once.search(p.read_text(encoding="utf-8"))] == []
