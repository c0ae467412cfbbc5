"""Words among numbers are asked for by name, with their count and an option that was tried."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from deepcity.city.errors import ConfigError
from deepcity.data.draft.answers import Answers, OpenQuestionsError
from deepcity.data.draft.city import start_city

BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock
HOURS = 240


def written(folder, word, every=3, head="time,cars", more=""):
    values = np.random.default_rng(0).poisson(20, HOURS)
    rows = [
        f"{BEGIN + timedelta(hours=hour)},{word(hour) if hour % every == 0 else value}{more}"
        for hour, value in enumerate(values)
    ]
    (folder / "bad.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(folder / "bad.csv")


def started(folder, path, **answers):
    return start_city([path], Answers(time_zone="UTC", **answers), folder)


@pytest.mark.parametrize(("head", "more"), [("time,cars", ""), ("time,cars,bikes", ",7")])
def test_a_word_in_a_third_of_the_cells_is_named_and_its_option_answers(tmp_path, head, more):
    path = written(tmp_path, lambda _: "closed", head=head, more=more)
    with pytest.raises(OpenQuestionsError) as asked:
        started(tmp_path, path)
    (ask,) = asked.value.asks
    assert ask.text.startswith("cars: 'closed' stands in 80 of 240 cells (rows 2, 5, 8 …)")
    assert ask.option == "--missing 'closed'"
    start = started(tmp_path, path, missing=("closed",))
    panel = next(iter(start.panels.values()))
    assert np.isfinite(panel.values_TNF[:, 0, 0]).sum() == HOURS - 80


def test_every_word_is_asked_for(tmp_path):
    path = written(tmp_path, lambda hour: "closed" if hour % 2 else "fault")
    with pytest.raises(OpenQuestionsError) as asked:
        started(tmp_path, path)
    assert {one.example for one in asked.value.asks} == {"'closed'", "'fault'"}
    with pytest.raises(OpenQuestionsError) as again:
        started(tmp_path, path, missing=("closed",))
    assert [one.example for one in again.value.asks] == ["'fault'"]


@pytest.mark.parametrize("word", [lambda _: "<5", lambda hour: f"{hour} m"])
def test_a_text_that_may_be_a_number_is_named_but_not_taken_for_missing(tmp_path, word):
    with pytest.raises(ConfigError, match=r"cars: 160 of 240 cells hold numbers") as refused:
        started(tmp_path, written(tmp_path, word))
    assert not isinstance(refused.value, OpenQuestionsError)


def test_a_column_of_words_is_no_column_of_numbers(tmp_path):
    path = written(tmp_path, lambda _: "closed", head="time,cars,state", more=",open")
    start = started(tmp_path, path, missing=("closed",))
    assert [one.name for one in next(iter(start.panels.values())).fields] == ["cars"]
