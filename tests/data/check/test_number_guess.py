"""What a draft sees of how a table writes its numbers, and what it leaves as a question."""

import pytest
from typer.testing import CliRunner

from deepcity.cli import app
from deepcity.data.check.draft import draft
from deepcity.data.city_file import check_raw, load_panel

pytest_plugins = ["towns"]
HOURS = [f"2024-05-{d:02d} {h:02d}:00" for d in range(1, 15) for h in range(24)]
DAY = (90, 85, 115, 178, 409, 755, 960, 1019, 1209, 812, 420, 187)


def file_of(folder, cell, *, sign=";", encoding="utf8", name="a"):
    lines = [sign.join(("time", name, "b"))]
    lines += [sign.join((time, cell(DAY[n % 12]), "3")) for n, time in enumerate(HOURS)]
    path = folder / "x.csv"
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


@pytest.mark.parametrize(
    ("cell", "expected", "keys"),
    [
        (lambda n: f"{n:,}", 1019, {"thousands": ","}),
        (lambda n: f"{n:,}".replace(",", "."), 1019, {"thousands": "."}),
        (lambda n: f"{n:,}".replace(",", " "), 1019, {"thousands": " "}),
        (lambda n: f"{n:,}".replace(",", "\u202f"), 1019, {"thousands": " "}),
        (lambda n: f"{n:,}".replace(",", "\u2019"), 1019, {"thousands": "'"}),
        (lambda n: f"{n:,}명", 1019, {"thousands": ",", "unit_text": ["명"]}),
        (lambda n: f"₩{n}", 1019, {"unit_text": ["₩"]}),
        (lambda n: f"{n / 10:.1f}".replace(".", ","), 101.9, {"decimal": ","}),
        (lambda n: f"{n},5", 1019.5, {"decimal": ","}),
        (
            lambda n: f"{n:,}.5".translate(str.maketrans(",.", ".,")),
            1019.5,
            {"decimal": ",", "thousands": "."},
        ),
        (lambda n: f"{n:,}.5", 1019.5, {"thousands": ","}),
        (lambda n: f"{n}.5", 1019.5, {}),
        (str, 1019, {}),
    ],
)
def test_a_draft_states_how_numbers_are_written_and_loads(cell, expected, keys, tmp_path):
    path = file_of(tmp_path, cell)
    raw, problems = draft(path)
    assert not problems
    (source,) = raw["source"]
    seen = {key: source[key] for key in ("thousands", "decimal", "unit_text") if key in source}
    assert seen == keys
    city_file, problems = check_raw(raw, path)
    assert city_file is not None, problems
    panel = load_panel(city_file, "agency")
    assert panel.values_TNF[7, 0, 0] == pytest.approx(expected)


def test_numbers_that_nothing_decides_stay_a_question(tmp_path):
    path = file_of(tmp_path, lambda n: f"{n % 9 + 1},{n % 900 + 100}")
    raw, _ = draft(path)
    assert not {"thousands", "decimal"} & set(raw["source"][0])
    result = CliRunner().invoke(app, ["data", "check", str(path)])
    assert result.exit_code == 1
    assert "two ways" in result.output


def test_ids_with_a_number_in_them_are_no_numbers_with_a_unit(tmp_path):
    lines = ["time;line;n"]
    lines += [f"{time};{line}호선;{n}" for n, time in enumerate(HOURS) for line in (1, 2)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    raw, _ = draft(path)
    assert "unit_text" not in raw["source"][0]
    assert raw["source"][0]["place"] == "line"


def test_a_korean_export_is_drafted_and_loads(tmp_path):
    path = file_of(tmp_path, lambda n: f'"{n:,}"', sign=",", encoding="cp949", name="여의나루역")
    raw, _ = draft(path)
    (source,) = raw["source"]
    assert (source["encoding"], source["thousands"]) == ("cp949", ",")
    city_file, _ = check_raw(raw, path)
    assert load_panel(city_file, "agency").values_TNF[7, 0, 0] == 1019
