"""What `deepcity agent` says of rows past their time and of clocks: once, and in words."""

import json

from live_server import application_of, run_once
from live_town import HOUR, NOW, START, records

from deepcity.cli import agent as verb
from deepcity.data.city_file import load_city
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.live import agency as live_agency
from deepcity.live.agency import LiveAgency
from deepcity.store.outbox import Outbox

HOURS = NOW // HOUR - START // HOUR


def test_rows_past_their_time_are_reported_once_in_words(town_trained, tmp_path, monkeypatch):
    """Two parcels of rows of years ago: both counted, one sentence, nothing left to retry."""
    town_trained.copy_to(tmp_path, HOURS)
    monkeypatch.setattr(live_agency, "PARCEL_ROWS", 45)
    state, url = tmp_path / "state", f"duckdb:///{tmp_path / 'deep.duckdb'}"
    package = town_trained.encoders["gates"]
    with application_of(town_trained, url, until=NOW) as (address, application):
        application.store.retain(package.space, 90)
        more = ("--state", str(state))
        result = run_once(town_trained, "gates", tmp_path, address, *more)
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
    emit = verb._event_emitter(as_json=False)
    emit("sent", rows=75, expired=36)
    emit("sent", rows=75)
    output = capsys.readouterr().out
    assert output == "sent 75 rows, 36 of them too old to be stored\nsent 75 rows\n"


def test_a_clock_ahead_is_reported_once_though_hours_pass(town_trained, tmp_path, monkeypatch):
    town_trained.copy_to(tmp_path, HOURS + 9)  # by a time zone too much
    now, lines, emitted = [NOW], records()["gates"], []
    monkeypatch.setattr(verb.time, "time", lambda: now[0])
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        package = town_trained.encoders["gates"]
        followed = SourceFollower(load_city(tmp_path / "town.toml"), "gates", tmp_path / "records")
        live = LiveAgency(package, outbox)

        def emit(event, **facts):
            emitted.append((event, facts))

        work = verb._Work(live, lambda _now: followed.poll(), None, emit)
        for hour in range(4):
            work._encode(now[0])
            now[0] += 30 * 60
            work._encode(now[0])
            now[0] += 30 * 60
            with (tmp_path / "gates.csv").open("a", encoding="utf-8") as file:
                file.write(lines[HOURS + 10 + hour] + "\n")
        followed.close()
    doubts = [facts["reason"] for event, facts in emitted if event == "doubt"]
    assert len(doubts) == 1
    assert "2024-05-25T08:00:00Z" in doubts[0]
    assert len([event for event, _ in emitted if event == "encoded"]) == 4


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


def test_an_agency_has_a_folder_for_each_service_beside_the_city_file(town_trained, tmp_path):
    town_trained.copy_to(tmp_path, HOURS)
    with application_of(town_trained, f"duckdb:///{tmp_path / 'deep.duckdb'}", until=NOW) as found:
        result = run_once(town_trained, "gates", tmp_path, found[0])
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["encoded", "sent"]
    assert (tmp_path / ".gates-ridership-live" / "outbox.sqlite").exists()
