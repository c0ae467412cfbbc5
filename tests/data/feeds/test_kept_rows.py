"""Formats of feeds: rows kept are read as any table, none yet is told, and examples are valid."""

import re
import tomllib
from pathlib import Path

import connector_contract as contract
import pytest

from deepcity.data.connectors import connectors, read_table
from deepcity.data.errors import ReadError
from deepcity.data.feeds.kept_rows import NOTHING_YET
from deepcity.data.feeds.settings import FeedSettings

FEEDS = {name: one for name, one in connectors().items() if issubclass(one.settings, FeedSettings)}
NEEDED = {
    "push": {},
    "mqtt": {"host": "b", "topics": ["a"], "topic_place": 1, "values": {"flow": "."}},
    "gbfs": {"url": "x.json"},
    "gtfs_realtime": {"url": "x.pb"},
    "sensorthings": {"url": "https://x.example"},
}
PAGES = sorted((Path(__file__).parents[3] / "docs" / "how-to").glob("sources*.md"))


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_reads_what_was_kept_and_tells_that_nothing_was(name, tmp_path):
    connector = FEEDS[name]
    source = connector.settings.model_validate({"name": "x", "format": name, **NEEDED[name]})
    contract.check_facts(connector)
    connector.check(source, tmp_path)  # rows may come later
    for content in (None, "time,place,flow\n"):
        if content is not None:
            source.spool_path(tmp_path).parent.mkdir()
            source.spool_path(tmp_path).write_text(content)
        with pytest.raises(ReadError) as caught:
            read_table(source, tmp_path)
        assert caught.value.reason == NOTHING_YET
        assert "deepcity up" in caught.value.right
    lines = [f"2024-05-01T00:00:{n:02d}+00:00,a,{n}\n" for n in range(20)]
    source.spool_path(tmp_path).write_text("time,place,flow\n" + "".join(lines))
    for size in (7, 1000):
        contract.check_batches(source, tmp_path, size)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_source_of_the_how_to_is_valid(page):
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    sources = [one for block in blocks for one in tomllib.loads(block)["source"]]
    assert {one["format"] for one in sources} == set(FEEDS)
    for one in sources:
        FEEDS[one["format"]].settings.model_validate(one)
