"""A site's end of the choice of levels: it chooses on its own days, and writes its forecaster.

Verb: ``choose`` (receive what `deepcity.intercity.party_choices` offers; return errors by method,
weights and the chosen level). A member chooses from its own network of the joint training, so only
a newcomer receives layers. Forecasts, decisions, and what was noticed in its records stay in the
site's folder, and so does a copy of each answer; measured values and an example forecast leave only
by a grant (`truths = "shared"`).

On the wire the result is JSON as an array of bytes, the one tensor of a layer `RESULT`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.errors import ExchangeError
from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.grant_guard import details_stay
from deepcity.exchange.message import Message
from deepcity.exchange.party import CHOOSE, JSON, RESULT
from deepcity.intercity.party_choices import (
    Offer,
    PartyChoice,
    joined_method,
    round_members,
)
from deepcity.maps.city_map import Service
from deepcity.parties.method_errors import ALONE as ALONE_METHOD
from deepcity.runs.machines.kept_answers import KeptAnswers
from deepcity.runs.note import Note
from deepcity.runs.notes import naive_notes, newcomer_notes
from deepcity.runs.records.record_warnings import record_warnings
from deepcity.runs.results import PartyResult
from deepcity.runs.site import Site

LEVEL, COMMON_STEM, FIRST_DAY = "level", "common_stem", "first_day"
LAYERS_REFUSED = "layers_refused"


def choice_name(service: str) -> str:
    """Name under which a service's sites are asked to choose, as that of a training."""
    return f"{service}.choice"


def offer_message(offer: Offer | None) -> Message:
    """An offer as the coordinator sends it; None offers nothing but learning alone."""
    if offer is None:
        return Message(CHOOSE)
    numbers = {LEVEL: float(offer.level), COMMON_STEM: float(offer.common_stem)}
    return Message(CHOOSE, numbers, offer.layers or {})


@dataclass
class ChoosingSite:
    """Answers ``choose`` for one site whose trainings are done.

    Attributes:
        levels: fixed levels that the map trains.
        finished: methods whose learners are at their best states.
    """

    service: Service
    site: Site
    levels: Sequence[int]
    finished: set[str]
    answers: KeptAnswers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.answers = KeptAnswers(self.site.folder, self.site.settings.name)

    def handle(self, message: Message, caller: str) -> Message:
        """Choose, write results and forecaster into the site's folder, and return the errors.

        The same offer is answered once: a coordinator that lost the answer gets it again. Few
        others are answered in a run (`deepcity.runs.machines.kept_answers`).

        Raises:
            ExchangeError: if the caller is not the coordinator, the verb is another, the offer is
                beyond the grant or one too many, trainings that it needs are not done here, or it
                failed: why is in the site's own log.
        """
        if caller != COORDINATOR or message.verb != CHOOSE:
            raise ExchangeError(
                f"{caller} may not ask for {message.verb!r} here; the coordinator may {CHOOSE}"
            )
        with details_stay(self.site.name, CHOOSE, ExchangeError):
            offer = self._offer(message)
            answer = self.answers.of(message)
            if answer is None:
                answer = self._choose(offer)
                self.answers.keep(message, answer)
        return answer

    def _offer(self, message: Message) -> Offer | None:
        """What the coordinator offers, bounded by the site's own grant.

        Raises:
            ExchangeError: what is wrong with it.
        """
        if not message.numbers and not message.layers:
            return None
        name, grant = self.site.name, self.site.settings.grant
        level, stem = (message.numbers.get(key, -1.0) for key in (LEVEL, COMMON_STEM))
        most, reuse = min(grant.level_of(name), MAX_LEVEL), self.site.settings.reuse
        if reuse is not None and not message.layers:  # its own network holds the package's layers
            most = max(most, reuse.level)
        if not (level.is_integer() and ALONE <= level <= most and stem in (0.0, 1.0)):
            raise ExchangeError(
                f"{name} grants levels up to {most}; offered is level {level}, common stem {stem}"
            )
        newcomer = name in self.site.settings.newcomers
        if message.layers and not newcomer:
            raise ExchangeError(f"{name} chooses from its own network; only newcomers get layers")
        common = stem == 1.0 and grant.stem_of(name) == "common"
        return Offer(int(level), common, message.layers if newcomer else None)

    def _choose(self, offer: Offer | None) -> Message:
        self._check_trained(offer)
        for method in sorted(self.finished):
            self.site.evaluate(method)
        chosen = self.site.choose(offer)
        first, rest = own_notes(self.service, self.site, chosen)
        found = self.site.finish(chosen, self.levels, [*first, *rest])
        numbers = {} if chosen.first_day is None else {FIRST_DAY: chosen.first_day.metric_error}
        if chosen.refused:
            numbers[LAYERS_REFUSED] = 1.0
        shared = self.site.settings.grant.truths_of(self.site.name) == "shared"
        return Message(CHOOSE, numbers, result_layers(found.for_the_map(shared=shared)))

    def _check_trained(self, offer: Offer | None) -> None:
        """Refuse to choose from networks that are not trained: alone, and joined at its level."""
        needed = [ALONE_METHOD]
        if offer is not None and offer.layers is None:
            needed.append(joined_method(self.site.settings))
        if missing := [method for method in needed if method not in self.finished]:
            raise ExchangeError(
                f"{self.site.name} has not finished {', '.join(missing)} in this lease; it chooses "
                f"once these are finished"
            )


def own_notes(
    service: Service, site: Site, chosen: PartyChoice
) -> tuple[Sequence[Note], Sequence[Note]]:
    """Notes that a site makes of itself: as a newcomer, and on its records."""
    members = round_members(site.settings, [one.name for one in service.members])
    unit = site.party.unit if site.party.metric.in_unit else ""
    first_day = None if chosen.first_day is None else chosen.first_day.metric_error
    first = newcomer_notes(site.settings, site.name, len(members), unit, first_day)
    if chosen.refused:
        first = [Note(code="layers_refused")]
    member = next(one for one in service.members if one.name == site.name)
    return first, [*naive_notes(site.party), *record_warnings(member, site.party)]


def result_layers(found: PartyResult) -> dict[str, dict[str, np.ndarray]]:
    """A result as the layers of a message."""
    return {RESULT: {JSON: np.frombuffer(found.model_dump_json().encode(), np.uint8)}}
