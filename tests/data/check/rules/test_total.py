"""A total among places or fields is told; records that only look alike are left in peace."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deepcity.cli.data import app
from deepcity.data.check.draft import draft, draft_with_questions
from deepcity.data.check.rules.total import LEAST_STEPS, _total

HOURS = 240


def counts(seed, places):
    return np.random.default_rng(seed).poisson(20.0, (HOURS, places)).astype(float)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), places=st.integers(2, 30), at=st.integers(0, 30))
def test_a_column_that_is_the_sum_of_the_others_is_found_wherever_it_stands(seed, places, at):
    values = counts(seed, places)
    values[3, 0] = np.nan
    at = min(at, places)
    total = np.insert(values, at, values.sum(axis=1), axis=1).astype(np.float32)
    assert _total(total.astype(float)) == at


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), places=st.integers(3, 30))
def test_other_columns_are_no_total(seed, places):
    assert _total(counts(seed, places)) is None


def test_too_little_to_tell():
    values = counts(1, 2)
    few = np.column_stack([values, values.sum(axis=1)])[: LEAST_STEPS - 1]
    assert _total(few) is None
    lone = np.zeros((HOURS, 3))
    lone[:, 0] = lone[:, 2] = 5  # one place alone is open, and another repeats it
    assert _total(lone) is None


@pytest.mark.parametrize("word", ["합계", "Total", "Summe", "Insgesamt", "계"])
def test_a_draft_leaves_totals_out(word, tmp_path):
    a, b = counts(1, 2).astype(int).T
    times = [f"2024-01-{i // 24 + 1:02d} {i % 24:02d}:00" for i in range(HOURS)]
    wide = [f"{t},{x},{y},{x + y}" for t, x, y in zip(times, a, b, strict=True)]
    (tmp_path / "w.csv").write_text("\n".join([f"time,a,b,{word}", *wide]), encoding="utf-8")
    raw, _ = draft(tmp_path / "w.csv")
    assert [field["column"] for field in raw["agency"][0]["fields"]] == ["a", "b"]
    said = f"the column equals the sum of the others, as a total does: '{word}'"
    shown = CliRunner().invoke(app, ["check", "--draft", str(tmp_path / "w.csv")])
    assert f"# Left out: {said}\n" in shown.stdout
    assert f"left out: {said}\n" in shown.stderr
    long = [
        f"{t},{p},{n}"
        for t, x, y in zip(times, a, b, strict=True)
        for p, n in (("a", x), ("b", y), (word, x + y))
    ]
    (tmp_path / "l.csv").write_text("\n".join(["time,place,n", *long]), encoding="utf-8")
    found = draft_with_questions(tmp_path / "l.csv")
    assert found.raw["agency"][0]["places"] == ["a", "b"]
    assert found.left_out == (said.replace("column", "place"),)
    (tmp_path / "l.csv").write_text("\n".join(["time,place,n", *long]).replace("2,9", "2,8"))
    other = [line.replace(f",{word},", f",{word},1") for line in long]
    (tmp_path / "l.csv").write_text("\n".join(["time,place,n", *other]), encoding="utf-8")
    found = draft_with_questions(tmp_path / "l.csv")
    assert found.raw["agency"][0]["places"] == "all"
    assert found.left_out == ()
