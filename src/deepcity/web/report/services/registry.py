"""Which words belong to which decision: by the code of its first reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepcity.applications.decision import Decision
from deepcity.web.report.services.crowds import crowd_words
from deepcity.web.report.services.leaks import leak_words
from deepcity.web.report.services.patrols import patrol_words
from deepcity.web.report.services.peaks import peak_words
from deepcity.web.report.services.traffic import jam_words
from deepcity.web.report.text import Text

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts


@dataclass(frozen=True)
class ServiceWords:
    """How a decision is put in words.

    Attributes:
        words: what is to be done and why; how sure it is and who confirms it are added.
        state: key of it in one or two words.
        tone: how it is coloured: `warn`, or nothing.
        alert: whether it is that of a warning with a cutoff.
    """

    words: Callable[[Decision, "DecisionFacts"], list[Text]]
    state: str
    tone: str = ""
    alert: bool = False


SERVICE_WORDS = {
    "peak-ahead": ServiceWords(peak_words, "peaks.state"),
    "crowding-likely": ServiceWords(crowd_words, "decision.warning", "warn", alert=True),
    "crowding-unlikely": ServiceWords(crowd_words, "decision.no_warning", alert=True),
    "night-flow-high": ServiceWords(leak_words, "leaks.state_suspected", "warn"),
    "night-flow-usual": ServiceWords(leak_words, "leaks.state_usual"),
    "too-few-nights": ServiceWords(leak_words, "leaks.state_unknown"),
    "patrols-planned": ServiceWords(patrol_words, "patrols.state"),
    "no-patrols": ServiceWords(patrol_words, "decision.nothing"),
    "jam": ServiceWords(jam_words, "decision.actions"),
    "no-jam": ServiceWords(jam_words, "decision.nothing"),
}
"""Code of the first reason -> words; other codes have the common words."""
