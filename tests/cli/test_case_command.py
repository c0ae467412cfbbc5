"""A search by commands: separate installations with keys of their own, and a city that answers."""

import json
import re
import signal
import time

import pytest
from forked import ENV, Forked
from live_server import free_port
from processes import deepcity
from searching_cities import GRANT, look, seen

from deepcity.vision.track_store.track_store import TrackStore

CITY = """
policy = "policy.toml"
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
[clock]
time_zone = "Asia/Seoul"
step = "1h"
[[source]]
name = "counts"
format = "csv"
path = "counts.csv"
time = {{ column = "time" }}
[[agency]]
name = "cameras"
title = {{ en = "Cameras", ko = "카메라" }}
domain = "cctv"
places = [{{ id = "a" }}]
[[agency.fields]]
name = "people"
kind = "count"
unit = "people"
source = "counts"
"""
OTHERS = """
[[city]]
name = "incheon"
cameras = [{{ id = "0", lat = 37.40, lon = 126.7 }}]
[[city]]
name = "seoul"
address = "http://127.0.0.1:{port}"
cameras = [{{ id = "1", lat = 37.41, lon = 126.7 }}, {{ id = "2", lat = 37.42, lon = 126.7 }}]
"""
PURPOSE = "find a missing child"


class Installation:
    """A folder with keys of its own, in which commands are run."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.env = {**ENV, "DEEPCITY_KEYS": str(folder / "keys")}

    def run(self, *words, code=0):
        found = deepcity(*words, env=self.env, cwd=self.folder)
        assert found.returncode == code, found.stdout + found.stderr
        return found.stdout if code == 0 else found.stdout + found.stderr

    def key(self):
        from deepcity.store.signatures.ed25519 import public_hex
        from deepcity.store.signatures.keyring import Keyring

        return public_hex(Keyring(self.folder / "keys").private_key())


@pytest.fixture
def cities(tmp_path):
    """Incheon searches, Seoul answers; three persons of Incheon have machines of their own."""
    names = ("incheon", "seoul", "kim", "lee", "park")
    found = {name: Installation(tmp_path / name) for name in names}
    for name in ("incheon", "seoul"):
        (found[name].folder / "city.toml").write_text(CITY.format(name=name), encoding="utf-8")
        grant = GRANT.format(service="missing-child", purpose=PURPOSE)
        (found[name].folder / "policy.toml").write_text(grant, encoding="utf-8")
    for name in ("incheon", "seoul"):
        for person in ("kim", "lee", "park"):
            key = found[person].key()
            found[name].run("keys", "trust", f"incheon/{person}", key, "--kind", "approval")
    found["seoul"].run("keys", "trust", "incheon", found["incheon"].key(), "--kind", "case")
    now_s = time.time()
    store = TrackStore(found["seoul"].folder / "tracks", "net", 16, 24)
    people = [("1", 900, 0.05), ("2", 300, 0.1), ("1", 800, 2.0)]
    store.append([seen(camera, now_s - ago_s, angle) for camera, ago_s, angle in people])
    child = {"network": "net", "embeddings": [look(0.0).tolist()]}
    (found["incheon"].folder / "child.json").write_text(json.dumps(child))
    return found


def opened(incheon, *words):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1800))
    text = incheon.run(
        *("case", "open", "city.toml", "--ask", "seoul", "--by", "incheon/kim"),
        *("--purpose", PURPOSE, "--near", "37.40,126.7", "--at", at, *words),
    )
    return re.search(r"Case ([0-9a-f]{16}) is open", text)[1]


def test_a_search_from_opening_to_closing_between_machines(cities):
    incheon, seoul, port = cities["incheon"], cities["seoul"], free_port()
    (incheon.folder / "others.toml").write_text(OTHERS.format(port=port), encoding="utf-8")
    case = opened(incheon, "--embeddings", "child.json")
    file = incheon.folder / ".incheon-cases" / case / "case.json"
    about = ("city.toml", case, "--cities", "others.toml", "--by", "incheon/lee")
    text = incheon.run("case", "search", *about, code=1)
    assert "needs 2 persons of incheon other than incheon/kim: deepcity case approve" in text

    for person in ("lee", "park"):  # each on a machine of their own, by a copy
        copy = cities[person].folder / "case.json"
        copy.write_bytes(file.read_bytes())
        assert PURPOSE in cities[person].run("case", "approve", "case.json")
        text = incheon.run("case", "take", "city.toml", str(copy))
    assert "incheon/lee, incheon/park" in text

    words = ("case", "answer", "city.toml", "--agency", "cameras", "--tracks", "tracks")
    door = Forked([*words, "--port", str(port)], seoul.env, folder=seoul.folder)
    try:
        assert "answers searches" in door.stdout.readline()
        text = incheon.run("case", "search", *about)
        assert "2 sightings by 1 cities" in text
        assert re.search(r"Likeliest way, 2 sightings \(.*\): seoul/1 → seoul/2", text)
        sighting = re.search(r"seoul/2@[0-9]+", text)[0]
        text = incheon.run("case", "confirm", "city.toml", case, sighting, *about[2:])
        assert "1 confirmed" in text
        text = incheon.run("case", "show", *about, "--language", "ko")
        assert "확인됨" in text
        assert "사람이 하나하나 확인합니다" in text
        assert "deleted here" in incheon.run("case", "close", *about)
        assert "(closed)" in incheon.run("case", "list", "city.toml")
        assert "was closed" in incheon.run("case", "search", *about, code=1)
    finally:
        door.send_signal(signal.SIGINT)
        door.communicate(timeout=60)
    record = seoul.run("ledger", "show", ".seoul-cameras-cases")
    assert "sightings" in record
    assert "as the case was closed" in record
    assert "holds" in seoul.run("ledger", "verify", ".seoul-cameras-cases")
    record = incheon.run("ledger", "show", ".incheon-cases")
    acts = re.findall(rf"case {case}: (\w+) by (\S+?)[,\n]", record)
    assert [act for act, _ in acts] == [
        *("opened", "approved", "approved", "searched", "confirmed", "looked", "closed")
    ]


def test_wrong_words_are_named_with_the_right_ones(cities):
    incheon = cities["incheon"]
    near, at = ("--near", "37.4,126.7"), ("--at", "2026-12-01T10:00")
    begins = ("case", "open", "city.toml", "--ask", "seoul", "--purpose", PURPOSE)
    for words, reason in (
        ((*near, *at), "nothing to look for"),
        ((*near, *at, "--upper", "mauve"), "use black"),
        (("--near", "here", *at, "--upper", "red"), "37.4563,126.7052"),
        ((*near, "--at", "noon", "--upper", "red"), "is not a time"),
        ((*near, *at, "--height", "tall"), "1.0-1.2"),
        ((*near, *at, "--embeddings", "city.toml"), "deepcity cameras embed"),
        ((*near, *at, "--embeddings", "nothing.json"), "cannot be read"),
    ):
        text = incheon.run(*begins, "--by", "incheon/kim", *words, code=2)
        assert reason in " ".join(text.replace("│", " ").split()), words
    text = incheon.run(*begins, "--by", "seoul/kim", *near, *at, "--upper", "red", code=1)
    assert "a person of incheon" in text
    (incheon.folder / "others.toml").write_text(OTHERS.format(port=1), encoding="utf-8")
    about = ("--cities", "others.toml", "--by", "incheon/lee")
    text = incheon.run("case", "search", "city.toml", "../x", *about, code=1)
    assert "no case '../x'" in text
    case = opened(incheon, "--upper", "red")
    text = incheon.run("case", "confirm", "city.toml", case, "seoul", *about, code=2)
    assert "no sighting" in text


def test_a_city_without_policy_tracks_or_agency_answers_nobody(cities):
    seoul = cities["seoul"]
    begins = ("case", "answer", "city.toml", "--tracks", "tracks", "--port", str(free_port()))
    text = seoul.run(*begins, "--agency", "camera", code=1)
    assert "there are: cameras" in text
    text = seoul.run(*begins, "--agency", "cameras", "--network", "other", code=1)
    assert "--network net" in text
    (seoul.folder / "empty").mkdir()
    empty = [word if word != "tracks" else "empty" for word in begins]
    text = seoul.run(*empty, "--agency", "cameras", code=1)
    assert "deepcity cameras watch --store" in text
    city = seoul.folder / "city.toml"
    city.write_text(city.read_text().replace('policy = "policy.toml"', ""))
    assert "names no policy" in seoul.run(*begins, "--agency", "cameras", code=1)
