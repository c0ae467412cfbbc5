"""Every code that a node gives has words in both languages, and every word has its code."""

from deepcity.forecasting import gaps
from deepcity.forecasting.gaps import Gap
from deepcity.live.node.records.source_status import SourceStatus, TroubleCode
from deepcity.runs.update.results import UpdateOutcome
from deepcity.web.control.words import gap_words
from deepcity.web.report.text import words


def test_every_reason_without_a_forecast_has_words():
    for code in gaps._SENTENCES:
        text = gap_words(Gap(code, detail="x"))["text"]
        assert text["en"] != text["ko"]


def test_no_word_of_the_control_room_is_left_unused():
    made = {f"control.gap_{code.replace('-', '_')}" for code in gaps._SENTENCES}
    made |= {f"control.source_{one.value}" for one in SourceStatus}
    made |= {f"control.trouble_{one.value.replace('-', '_')}" for one in TroubleCode}
    made |= {f"control.update_{one.name.lower()}" for one in UpdateOutcome}
    made |= {"control.update_problem", "control.update_drift"}
    states = ("never", "done", "same", "same_none", "failed", "elsewhere")
    made |= {f"control.check_{state}" for state in states}
    own = {key for key in words("en") if key.startswith("control.")}
    assert own - made == {"control.outcome"}
