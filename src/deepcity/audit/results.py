"""Results of an audit: codes and numbers; sentences are made where people read.

Nothing in them is a record, a window or a reconstruction.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from deepcity.audit.effort import EffortName
from deepcity.city.localized_text import LocalizedText

FORECAST = "forecast"
"""The layer's name under which the forecast alone is audited: the floor to compare with."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LearnedFrom(StrEnum):
    """Where an attacker's decoder was trained."""

    PERIOD = "period"  # the same places, on the days that the network learned from
    PLACE = "place"  # other places of the party, on those days
    CITY = "city"  # another party's places, through its own network


class WindowLeak(_Result):
    """How much of the input windows one attack has rebuilt.

    Attributes:
        layer: stem, h1..h5, bottleneck, or `forecast`.
        stream: releases that the attacker has seen.
        learned_from: where its decoder was trained.
        known: share of the true pairs that it knows beside.
        attacker: which decoder was the better one (of the first seed).
        r2: overall; R² on windows that took no part in training or choosing a decoder.
        r2_spread: standard deviation over seeds; None of one seed.
        r2_by_input: of each step of the window, the oldest first.
        identified: share of windows found among the gallery by their reconstruction.
        gallery: windows in the gallery.
        windows: that were attacked.
    """

    layer: str
    stream: int
    learned_from: LearnedFrom
    known: float
    attacker: str
    r2: float
    r2_spread: float | None
    r2_by_input: tuple[float, ...]
    identified: float
    gallery: int
    windows: int


class GradientAttack(StrEnum):
    """How rows are sought in an update."""

    ANALYTIC = "analytic"  # of the first linear layer that is shared
    MATCHING = "matching"  # inputs whose gradients are most like those received
    CLOSED_FORM = "closed-form"  # of the ridge part, which is fitted and gets no gradients


class GradientLeak(_Result):
    """How much of the rows of one batch an attack on its update has rebuilt.

    Attributes:
        lowest: the lowest layer that is shared, `ridge` for the ridge part.
        batch: rows in the update.
        r2: of what entered the layer (of the stem the inputs); of the ridge part, of the mean
            linear features of the rows that it was fitted to.
        updates: that were attacked.
    """

    attack: GradientAttack
    lowest: str
    batch: int
    r2: float
    r2_spread: float | None
    updates: int


class MembershipUnit(StrEnum):
    """What one might want to deny that a network learned from it."""

    DAY = "day"  # of one place's records
    PLACE = "place"  # all records of a place


class MembershipAttack(StrEnum):
    """How members are told from others."""

    LIRA = "lira"  # likelihood ratio, Carlini et al. 2022
    RMIA = "rmia"  # relative likelihoods, Zarifzadeh et al. 2024


class MembershipLeak(_Result):
    """How well an attack tells what a network learned from.

    Attributes:
        shadows: networks trained, each on half of the units; each in turn is attacked.
        units: that were asked about.
        others: pairs of a network and a unit that it did not learn from.
        area: chance that a member's score is above another's; 0.5 is guessing.
        area_spread: standard deviation over seeds; None of one seed.
        found_at_hundredth, found_at_thousandth: share of members found at one false alarm in so
            many others; None where there are too few others.
    """

    unit: MembershipUnit
    attack: MembershipAttack
    shadows: int
    units: int
    others: int
    area: float
    area_spread: float | None
    found_at_hundredth: float | None
    found_at_thousandth: float | None


class AuditSubject(_Result):
    """What is audited; an audit is valid for it and nothing else.

    Attributes:
        model: SHA-256 of the network, its inputs' settings and the rows attacked.
        level: reuse level of the network; the cut level of an encoder.
        deep_width: numbers of an encoder's deep data; None of a network.
        field: what a window holds.
        window_steps, step_s: steps of a window, and how long one is.
    """

    service: str
    party: str
    model: str
    level: int
    deep_width: int | None
    field: str
    window_steps: int
    step_s: int
    title: LocalizedText | None = None


class PartyAudit(_Result):
    """An audit of one party's model.

    Attributes:
        done: steps of the audit that are in it, by name; a stopped one goes on with the others.
    """

    version: int
    subject: AuditSubject
    effort: EffortName
    seed: int
    done: tuple[str, ...] = ()
    windows: tuple[WindowLeak, ...] = ()
    gradients: tuple[GradientLeak, ...] = ()
    membership: tuple[MembershipLeak, ...] = ()


class SiteAudits(_Result):
    """All audits of a site, as its folder keeps them."""

    site: str
    audits: tuple[PartyAudit, ...] = ()
