"""What `deepcity agency` says of rows past their time and of clocks: once, and in words."""

import json

import pytest
from live_server import application_of, once_told
from live_town import HOUR, NOW, START, records

from deepcity.cli import agency as verb
from deepcity.data.city_file import load_city
from deepcity.data.followed import Followed
from deepcity.exchange import live_agency
from deepcity.exchange.live_agency import LiveAgency
from deepcity.store.outbox import Outbox

HOURS = NOW // HOUR - START // HOUR


def test_rows_past_their_time_are_told_once_in_words(town_trained, tmp_path, monkeypatch):
    """Two parcels of rows of years ago: both counted, one sentence, nothing left to retry."""
    town_trained.copy_to(tmp_path, HOURS)
    monkeypatch.setattr(live_agency, "PARCEL_ROWS", 45)
    state, url = tmp_path / "state", f"duckdb:///{tmp_path / 'deep.duckdb'}"
    package = town_trained.encoders["gates"]
    with application_of(town_trained, url, until=NOW) as (address, application):
        application.store.retain(package.space, 90)
        more = ("--state", str(state))
        result = once_told(town_trained, "gates", tmp_path, address, *more)
        assert result.exit_code == 0
        events = [json.loads(line) for line in result.stdout.splitlines()]
        assert [one["event"] for one in events] == ["encoded", "sent", "expired", "sent"]
        assert [one["expired"] for one in events if one["event"] == "sent"] == [45, 30]
        assert "older than the 90 days" in events[2]["reason"]
        assert "--keep-days" in events[2]["reason"]
        assert len(application.store.read(package.space, None, 0, NOW, reader="ridership")) == 0
    with Outbox(state / "outbox.sqlite") as outbox:
        assert outbox.waiting().parcels == outbox.waiting().refused == 0


def test_the_screen_says_how_many_were_not_kept(capsys):
    tell = verb._teller(as_json=False)
    tell("sent", rows=75, expired=36)
    tell("sent", rows=75)
    said = capsys.readouterr().out
    assert said == "sent 75 rows, 36 of them not kept\nsent 75 rows\n"


def test_a_clock_ahead_is_told_once_though_hours_pass(town_trained, tmp_path, monkeypatch):
    town_trained.copy_to(tmp_path, HOURS + 9)  # by a time zone too much
    now, lines, told = [NOW], records()["gates"], []
    monkeypatch.setattr(verb.time, "time", lambda: now[0])
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        package = town_trained.encoders["gates"]
        followed = Followed(load_city(tmp_path / "town.toml"), "gates", tmp_path / "records")
        live = LiveAgency(package, outbox)

        def tell(event, **facts):
            told.append((event, facts))

        work = verb._Work(live, followed, None, tell)
        for hour in range(4):
            work._encode()
            now[0] += 30 * 60
            work._encode()
            now[0] += 30 * 60
            with (tmp_path / "gates.csv").open("a", encoding="utf-8") as file:
                file.write(lines[HOURS + 10 + hour] + "\n")
        followed.close()
    doubts = [facts["reason"] for event, facts in told if event == "doubt"]
    assert len(doubts) == 1
    assert "2024-05-25T08:00:00Z" in doubts[0]
    assert len([event for event, _ in told if event == "encoded"]) == 4


def test_events_are_known_from_the_city_file(town_trained, tmp_path):
    path = town_trained.copy_to(tmp_path, 24)
    assert not verb._counts_events(load_city(path), "gates")
    assert not verb._counts_events(load_city(path), "nobody")
    text = path.read_text(encoding="utf-8")
    old = 'path = "gates.csv"\ntime = { column = "time" }'
    new = old.replace("time =", 'layout = "events"\nplace = "place"\ntime =')
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert verb._counts_events(load_city(path), "gates")
    assert not verb._counts_events(load_city(path), "weather")


@pytest.mark.parametrize("of", ["own", "another"])
def test_parcels_in_a_folder_of_the_earlier_name_are_found_at_start(town_trained, tmp_path, of):
    """Its own are sent by the first pass; another service's are told of, with the way to them."""
    town_trained.copy_to(tmp_path, HOURS)
    package, url = town_trained.encoders["gates"], f"duckdb:///{tmp_path / 'deep.duckdb'}"
    earlier = tmp_path / ".gates-live" / "outbox.sqlite"
    with Outbox(earlier) as outbox:
        if of == "own":
            early = NOW - 3 * HOUR
            LiveAgency(package, outbox).look_at(town_trained.panel("gates", early), early)
        else:
            outbox.put("town/transport/gates/h3@another", 75, b"rows", {})
    with application_of(town_trained, url, until=NOW) as (address, application):
        result = once_told(town_trained, "gates", tmp_path, address)
        rows = application.store.read(package.space, None, 0, 2 * NOW, reader="ridership")
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert (tmp_path / ".gates-ridership-live" / "outbox.sqlite").exists()
    if of == "own":
        assert [one["event"] for one in events] == ["adopted", "encoded", "sent", "sent"]
        assert len(rows) == (25 + 3) * 3  # it went on, and did not begin a day back
        assert not earlier.exists()
    else:
        assert [one["event"] for one in events] == ["elsewhere", "encoded", "sent"]
        assert f"--state {earlier.parent}" in events[0]["reason"]
        assert len(rows) == 25 * 3
        assert earlier.exists()
