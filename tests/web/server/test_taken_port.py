"""A port that another program took while all else began is named as one that was taken before."""

import socket

import pytest
from fastapi import FastAPI

from deepcity.city.errors import ConfigError
from deepcity.web.server.serving import check_port, make_server, serve


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_it_is_named_with_the_remedy_whenever_it_is_found(taken, capfd):
    ended = []
    app = FastAPI(on_shutdown=[lambda: ended.append("app")])
    with pytest.raises(ConfigError) as early:
        check_port("127.0.0.1", taken)
    with pytest.raises(ConfigError) as late:
        serve(make_server(app, "127.0.0.1", taken))
    assert str(late.value) == str(early.value)
    assert f"--port = {taken}: another program listens there" in str(late.value)
    assert "give another --port" in str(late.value)
    assert capfd.readouterr().err == ""  # nothing of the server's own beside it
    assert ended == ["app"]


def test_an_address_of_another_machine_is_one(capfd):
    with pytest.raises(ConfigError, match=r"--host = '192\.0\.2\.1'.*0\.0\.0\.0"):
        serve(make_server(FastAPI(), "192.0.2.1", 8080))
    assert capfd.readouterr().err == ""
