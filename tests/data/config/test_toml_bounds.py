"""Settings files beyond all bounds: file, key and what would be right, and never a traceback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.data.config.toml_bounds import parse_toml
from deepcity.data.config.toml_file import read_toml


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("b = 1\na = " + "[" * 3000 + "]" * 3000, "a (line 2)", "nested deeper"),
        ("a = " + "[" * 60 + "]" * 60, "a[1][1]", "nested deeper"),
        (".".join("a" * 40) + " = 1", "a.a.a", "nested deeper"),
        ("[city]\nname = " + "9" * 5000, "name (line 2)", "over 400 digits"),
        ("name = " + "9" * 30, "name", "100 bits"),
        ('cities = ["a", "\\u0000"]', "cities[2]", "NUL"),
        ('[source]\npath = "a\\u0000b"', "source.path", "NUL"),
        ('"a\\u0000" = 1', "", "NUL"),
    ],
)
def test_what_no_settings_file_needs_is_named(text, key, reason, tmp_path):
    (tmp_path / "city.toml").write_text(text, encoding="utf-8")
    raw, problems = read_toml(tmp_path / "city.toml")
    assert raw is None
    assert problems[0].file == "city.toml"
    assert problems[0].key.startswith(key)
    assert reason in problems[0].reason
    assert problems[0].right


def test_a_file_of_records_is_not_read_as_settings(tmp_path):
    (tmp_path / "city.toml").write_bytes(b"#" * 16_000_001)
    assert "over 16,000,000 bytes" in read_toml(tmp_path / "city.toml")[1][0].reason


@given(
    st.recursive(st.integers(-(1 << 63), (1 << 63) - 1) | st.text("ab "), st.lists, max_leaves=9)
)
def test_ordinary_values_are_read(value):
    text = repr(value).replace("'", '"')
    assert parse_toml(f"a = {text}", "x.toml") == ({"a": value}, [])
