"""Folders of records that may be anything: the map is shown, waits for nothing, tells no secret."""

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_results import fake_results

from deepcity.store.run_folder import recorded_map
from deepcity.web.control.intercity_map import folder_records as reading
from deepcity.web.control.intercity_map.folder_records import folder_records

SECRET = "hunter2"
ALL = ("results.json", "rounds.json", "vertical.json")


def with_service(folder, name):
    results = json.loads(fake_results().model_dump_json())
    results["services"][0]["name"] = name
    (folder / "results.json").write_text(json.dumps(results))
    return folder_records(folder)


@pytest.mark.parametrize("name", ["/etc/x", "**", "[", "../../..", "", "a/**"])
def test_a_services_name_is_no_pattern_of_files(tmp_path, name):
    assert name in [one.name for one in with_service(tmp_path, name).services]


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\x00", "x" * 100_000, "\u202ered"])
def test_a_service_whose_name_is_no_name_is_refused(tmp_path, name):
    found = with_service(tmp_path, name)
    assert not found.services
    assert "no name" in found.unread[0][1]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", [f"{SECRET}:x", json.dumps({"services": SECRET, SECRET: 1})])
def test_what_is_shown_of_a_file_that_cannot_be_read_quotes_nothing_of_it(tmp_path, name, text):
    (tmp_path / "elsewhere").write_text(text)
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    (file, reason), *more = folder_records(tmp_path).unread
    assert (file, more) == (name, [])
    assert SECRET not in reason


def _pipe(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


def _huge(path):
    with path.open("wb") as file:
        file.truncate(10**9)


LIES = {
    "pipe": _pipe,
    "huge": _huge,
    "nested": lambda path: path.write_text("[" * 100_000),
    "long": lambda path: path.write_text(json.dumps({"absolute": "a" * 5000, "relative": "x"})),
    "nul": lambda path: path.write_text('{"absolute": "a\\u0000", "relative": "\\ud800"}'),
}


@pytest.mark.parametrize("lie", LIES)
def test_where_a_map_is_may_be_a_lie(tmp_path, lie):
    LIES[lie](tmp_path / "map.json")
    assert recorded_map(tmp_path) is None
    shutil.rmtree(tmp_path)


def test_a_large_file_is_read_once_for_all_who_ask_at_once(tmp_path, monkeypatch):
    (tmp_path / "rounds.json").write_text("{}")
    read = []

    def slowly(folder):
        read.append(folder)
        time.sleep(0.1)
        return {}

    monkeypatch.setattr(reading, "read_rounds", slowly)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: folder_records(tmp_path), range(6)))
    assert len(read) == 1
    assert all(one is found[0] for one in found)
