"""`--store-password-file`: a database's password out of command lines."""

from urllib.parse import unquote, urlsplit

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError
from deepcity.cli.running.store_url import store_url

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


@given(LINE)
def test_any_password_arrives_as_it_is(tmp_path_factory, password):
    file = tmp_path_factory.getbasetemp() / "password"
    file.write_text(f"{password}\n", encoding="utf-8")
    found = urlsplit(store_url("postgresql://city@db:5433/events?sslmode=require", file))
    assert unquote(found.password) == password
    assert (found.hostname, found.port, found.username) == ("db", 5433, "city")
    assert (found.path, found.query) == ("/events", "sslmode=require")


def test_without_a_file_the_url_is_as_given():
    assert store_url(None, None) is None
    assert store_url("postgresql://a:b@c/d", None) == "postgresql://a:b@c/d"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://city:old@db/events", "has a password already"),
        ("postgresql://db/events", "names no user"),
    ],
)
def test_urls_that_need_none_are_refused(tmp_path, url, words):
    (tmp_path / "password").write_text("new")
    with pytest.raises(ConfigError, match=words) as found:
        store_url(url, tmp_path / "password")
    assert "old" not in str(found.value), "a password is printed nowhere"


@pytest.mark.parametrize("url", [None, "duckdb:///city.duckdb"])
def test_stores_without_a_server_have_no_password(tmp_path, url):
    with pytest.raises(typer.BadParameter, match="postgresql://USER@HOST"):
        store_url(url, tmp_path / "password")


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"\n", "is empty")])
def test_files_that_hold_none_are_named(tmp_path, content, words):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        store_url("postgresql://city@db/events", path)
