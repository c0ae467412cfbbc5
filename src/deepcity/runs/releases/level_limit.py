"""How deep a party may share now, by its city's policy and the measured leakage: asked beforehand.

The same policy is asked again before every answer; this only keeps levels from being offered that
it would deny then, and tells a level that lack of leakage budget set from one that accuracy did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from deepcity.city.level import ALONE, layers_up_to
from deepcity.city.localized_text import LocalizedText
from deepcity.parties.releases.layer_release import LayerRelease
from deepcity.privacy.policy.refusal import Denial
from deepcity.privacy.policy.refusal_words import refusal_sentence


class LimitCause(StrEnum):
    """What keeps a deeper level from being offered."""

    LEAKAGE = "leakage"  # its measured leakage is over a grant's limit
    UNMEASURED = "unmeasured"  # there is a limit, and the leakage was not measured
    POLICY = "policy"  # no grant of the city's policy covers it, or a rule forbids it


@dataclass(frozen=True)
class LevelLimit:
    """The deepest level that a party may share.

    Attributes:
        level: h1..h`level` may leave; 0: nothing may.
        cause: why no deeper one may; None: the map's grant alone bounds it.
        value, limit: measured R² of the next level's leakiest layer, and the most allowed; of
            `UNMEASURED` the limit alone.
        reasons: why the next level is denied.
    """

    level: int
    cause: LimitCause | None = None
    value: float | None = None
    limit: float | None = None
    reasons: tuple[LocalizedText, ...] = ()


def level_limit(release: LayerRelease | None, granted: int, *, common_stem: bool) -> LevelLimit:
    """How deep a party may share now.

    Args:
        release: its city's policy; None: the city names none.
        granted: the deepest level that the map grants.
        common_stem: whether it shares its stem too.
    """
    if release is None:
        return LevelLimit(granted)
    reasons: tuple[Denial, ...] = ()
    for level in range(granted, ALONE, -1):
        decision = release.decide(layers_up_to(level, common_stem=common_stem))
        if decision.allowed:
            return _limit(level, reasons)
        reasons = decision.reasons
    return _limit(ALONE, reasons)


def _limit(level: int, reasons: Sequence[Denial]) -> LevelLimit:
    """A level, and by the denial of the next one what keeps it there."""
    if not reasons:
        return LevelLimit(level)
    texts = tuple(refusal_sentence(one) for one in reasons)
    codes = {one.code for one in reasons}
    if codes == {"leakage_over"}:
        numbers = reasons[0].numbers
        return LevelLimit(level, LimitCause.LEAKAGE, numbers["value"], numbers["limit"], texts)
    if codes == {"leakage_unknown"}:
        limit = reasons[0].numbers["limit"]
        return LevelLimit(level, LimitCause.UNMEASURED, None, limit, texts)
    return LevelLimit(level, LimitCause.POLICY, reasons=texts)
