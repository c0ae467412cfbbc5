"""Records that are corrected while agency and application live: what was said is said again.

However that goes, the store ends with what the encoder says of the records as they stand.
"""

import json
import signal

import httpx
import numpy as np
import pytest
from live_server import (
    access,
    agency_process,
    free_port,
    ready,
    serve_process,
    serving,
    store_of,
    wait_for,
)
from live_town import HOUR, NOW, START
from test_live_commands import running

from deepcity.data.city_file import load_city, load_panel
from deepcity.live.application import LiveApplication
from deepcity.live.wire import cell_names
from deepcity.web.api.app import create_app

SINCE = "2024-05-23T00:00:00Z"  # two days back
HOURS = (NOW - START) // HOUR
TIMES = np.arange(NOW - 48 * HOUR, NOW + 1, HOUR)


def correct(folder, hours_ago, value, *, by_a_new_file=False):
    """Another number of exits at a station, so many hours before the newest row."""
    path = folder / "gates.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[-hours_ago].split(",")
    lines[-hours_ago] = ",".join([*cells[:2], value, *cells[3:]])
    target = path.with_suffix(".new") if by_a_new_file else path
    target.write_text("\n".join([*lines, ""]), encoding="utf-8")
    target.replace(path)


def assert_as_recorded(town, store, folder):
    """Each cell and time once, as the encoder says it of the records as they are."""
    package = town.encoders["gates"]
    panel = load_panel(load_city(folder / "town.toml"), "gates")
    encoded = package.encode(panel, TIMES)
    found = store.read(package.space, None, 0, 2 * NOW, reader="ridership")
    names = cell_names(package.cells).tolist()
    rows = zip(found.time_R.tolist(), found.cell_R.tolist(), found.vectors_RW, strict=True)
    held = {(time, names.index(cell)): vector for time, cell, vector in rows}
    assert len(held) == len(found)
    keys = [(int(TIMES[b]), int(c)) for b, c in zip(*np.nonzero(encoded.known_BC), strict=True)]
    assert sorted(held) == keys
    wanted = encoded.vectors_BCD[encoded.known_BC]
    np.testing.assert_allclose([held[key] for key in keys], wanted, atol=2e-5)


def events(process, wanted):
    """Read events until one of a kind comes."""
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == wanted:
            return event
    return pytest.fail(f"no {wanted}: {process.stderr.read()}")


def test_corrections_while_both_run_and_while_the_agency_is_down(town_trained, tmp_path):
    folder, port, url = tmp_path / "live", free_port(), f"duckdb:///{tmp_path / 'deep.duckdb'}"
    town_trained.copy_to(folder, HOURS)
    address = f"http://127.0.0.1:{port}"
    gates = ("gates", folder, address, "--since", SINCE)

    def forecast():
        answer = httpx.get(f"{address}/forecast", params={"at": NOW}, trust_env=False).json()
        return answer["used"], [place["value"] for place in answer["places"]]

    with running(serve_process(town_trained, folder, port, url)) as server:
        wait_for(lambda: ready(address))
        with running(agency_process(town_trained, *gates)) as agency:
            events(agency, "sent")
            heard, before = forecast()
            assert heard == ["gates"]
            correct(folder, 2, "900")  # as the same file, written anew
            assert events(agency, "corrected")["rows"] >= 2
            events(agency, "sent")
            assert np.abs(np.subtract(forecast()[1], before)).max() > 0.1
            agency.kill()
        correct(folder, 5, "", by_a_new_file=True)  # it was no number after all
        correct(folder, 30, "1", by_a_new_file=True)
        with running(agency_process(town_trained, *gates)) as agency:
            assert events(agency, "corrected")["rows"] >= 4
            events(agency, "sent")
        server.send_signal(signal.SIGINT)
        server.wait(timeout=600)
    with store_of(town_trained, url) as store:
        assert_as_recorded(town_trained, store, folder)


def test_an_agency_that_is_killed_while_it_sends_a_revision(town_trained, tmp_path):
    """The application has it, the agency was not told, and a second correction comes between."""
    town_trained.copy_to(tmp_path, HOURS)
    url, killed, counts = f"duckdb:///{tmp_path / 'deep.duckdb'}", [], []
    with store_of(town_trained, url) as store:
        plain = create_app(LiveApplication(town_trained.fused, store), access())

        async def killing(scope, receive, send):
            """The API, whose answer to the first revision comes when the sender is dead."""
            query = scope.get("query_string", b"").decode()
            revised = scope.get("path") == "/deep-data" and "revision=0" not in query

            async def held(message):
                if revised and message["type"] == "http.response.start" and not killed:
                    killed.append(1)
                    target[0].kill()
                    target[0].wait()
                if revised and message["type"] == "http.response.body":
                    counts.append(json.loads(message["body"]))
                await send(message)

            await plain(scope, receive, held if scope["type"] == "http" else send)

        with serving(killing) as address:
            gates = ("gates", tmp_path, address, "--since", SINCE)
            with running(agency_process(town_trained, *gates, "--once")) as process:
                assert process.wait(timeout=600) == 0
            correct(tmp_path, 3, "300")
            target = [agency_process(town_trained, *gates, "--once")]
            with running(target[0]) as process:
                assert process.wait(timeout=600) == -signal.SIGKILL
            correct(tmp_path, 3, "200")
            with running(agency_process(town_trained, *gates, "--once")) as process:
                assert process.wait(timeout=600) == 0, process.stderr.read()
        assert [one["revised"] > 0 for one in counts] == [True, False, True]
        assert counts[1]["repeated"] == counts[0]["revised"]
        assert_as_recorded(town_trained, store, tmp_path)
