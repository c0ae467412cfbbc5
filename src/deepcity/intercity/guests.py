"""From a party of a map to the agencies that meet it: their panels, cells and encoders.

Everything here happens on each agency's own side, but for what `exchange.meeting` carries.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.exchange.agency_party import AgencyParty
from deepcity.exchange.encoding_party import EncodingParty
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Plan, learn_together
from deepcity.exchange.strategies import FedAvg
from deepcity.intercity.city_map import Member, Service
from deepcity.intercity.kept_encoder import begin_with
from deepcity.intercity.meeting_checks import guest_fields
from deepcity.intercity.meeting_settings import GuestSettings, MeetingSettings
from deepcity.intercity.parties import Party
from deepcity.intercity.run_folder import digest_of
from deepcity.learning.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.columns import cell_number, fit_columns
from deepcity.learning.features import Samples, train_origins
from deepcity.learning.labels import Labels
from deepcity.learning.match import FARTHEST_KM, too_far
from deepcity.learning.own_columns import own_cells
from deepcity.privacy.deep_grant import DeepGrant

Times = NDArray[np.int64]
_MANY = 6000
TEACHING_ROUNDS = 6  # meetings of equal agencies of several cities while they teach themselves


@dataclass(frozen=True)
class Table:
    """A party and who meets it.

    Attributes:
        train, train_times: training samples with a measured target, and their origins.
        guests: agency -> its encoder.
        own_times: agency -> origins of its own by which its encoder teaches itself.
        place_cells: the party's own places as cells.
        fields: agency -> names of the fields it encodes, in the order of its panel.
        salt: what the agencies of this meeting agreed on.
        raw_bytes: agency -> size of its records, which stay.
        records: a digest of all records; the same only where nothing in them changed.
    """

    party: Party
    meeting: MeetingSettings
    service: str
    train: Samples
    train_times: Times
    guests: Mapping[str, AgencyLearner]
    own_times: Mapping[str, Times]
    place_cells: Sequence[int]
    salt: str
    fields: Mapping[str, tuple[str, ...]]
    raw_bytes: Mapping[str, int] = field(default_factory=dict)
    records: str = ""

    @property
    def begun(self) -> frozenset[str]:
        """Agencies that begin with an encoder of another service's meeting."""
        city = self.party.city
        return frozenset(one.agency for one in self.meeting.agency if one.encoder_of(city))

    def cells_for(self, guest: str) -> Sequence[int]:
        """The party's places as cells that this guest knows: its own by their names alone."""
        if guest == self.party.name:
            return own_cells(self.party.panel.places, self.salt)
        return self.place_cells

    @property
    def validation_times(self) -> Times:
        """Origins of the validation samples."""
        return self.party.panel.time_T[self.party.validation_origins]

    @property
    def test_times(self) -> Times:
        """Origins of the test samples."""
        return self.party.panel.time_T[self.party.test_origins]

    def exchange(self, labels: Mapping[str, Labels] | None = None) -> InProcessExchange:
        """All guests behind their grants; the caller is the application."""
        kept = labels or {}
        settings = {guest.agency: guest for guest in self.meeting.agency}
        handlers = {}
        for name, learner in self.guests.items():
            own = settings.get(name)
            bounds = (
                {"least_level": own.least_level, "widest": own.widest} if own else {"widest": 64}
            )
            grant = DeepGrant(agency=name, service=self.service, **bounds)
            handlers[name] = AgencyParty(learner, grant, self.service, COORDINATOR, kept.get(name))
        return InProcessExchange(handlers, ledger=Ledger())


def lay(service: Service, member: Member, party: Party, seed: int, home: Path = Path()) -> Table:
    """Bring a party and the agencies of its city together; encoders have learned nothing yet.

    But for those of another service's meeting, which are taken from files relative to `home`.

    Raises:
        DataError: with the problems of an agency's records, or places too far from all its cells.
        LayerPackageError: if an agency cannot begin with the encoder that is named.
    """
    meeting = service.settings.meeting
    assert meeting is not None
    train, times = _measured(service, party)
    salt = f"{service.settings.name}/{party.city}"
    horizon_s = party.inputs.settings.horizon * party.panel.clock.step_s
    guests, own_times, names, raw_bytes = {}, {}, {}, {}
    records = [(party.name, party.panel)]
    cells = [cell_number(place, salt) for place in party.panel.places]
    for guest in meeting.agency:
        panel, span = _panel(member.city_file, guest, party)
        names[guest.agency] = tuple(known.name for known in panel.fields)
        raw_bytes[guest.agency] = panel.values_TNF.nbytes
        records.append((guest.agency, panel))
        own_times[guest.agency] = _thin(panel.time_T[span.start : span.end])
        columns = fit_columns(panel, guest.columns, span, salt)
        _check_near(guest.agency, columns.cells.cell_C, party, cells)
        own = EncoderSettings(guest.level, guest.deep, own_steps=meeting.own_steps)
        learner = AgencyLearner(guest.agency, columns, own, seed, horizon_s)
        if (file := guest.encoder_of(party.city)) is not None:
            fields = tuple((known.name, known.unit) for known in panel.fields)
            begin_with(learner, home / file, party.city, fields, learned_until(party))
        guests[guest.agency] = learner
    return Table(
        party,
        meeting,
        service.settings.name,
        train,
        times,
        guests,
        own_times,
        cells,
        salt,
        names,
        raw_bytes,
        digest_of(records),
    )


def _check_near(guest: str, cell_C: Times, party: Party, cells: Sequence[int]) -> None:
    """The nearest cell at any distance would speak for a place whose position is wrong."""
    places = party.panel.places
    far = f"from the nearest cell of {guest}, which can speak for no place over {FARTHEST_KM:.0f}"
    right = f"correct lat and lon of the place, or of {guest}'s places (are the two swapped?)"
    problems = []
    for row, km in too_far(cells, cell_C).items():
        key, said = f"places[{places[row].id}]", (places[row].lat, places[row].lon)
        problems.append(Problem(party.name, key, said, f"{km:,.0f} km {far} km away", right))
    if problems:
        raise DataError(problems)


def learned_until(party: Party) -> int:
    """The first second whose rows nobody of a meeting learns from."""
    return int(party.panel.time_T[party.split.train.end])


def teach(
    tables: Sequence[Table], seed: int, taught: Callable[[int], None] = lambda _done: None
) -> Ledger:
    """Every encoder teaches itself; equal agencies of several cities do it together.

    `taught` is told how many of the agencies (by name) are done.
    """
    ledger = Ledger()
    meeting = tables[0].meeting
    for done, name in enumerate(tables[0].guests, 1):
        learners = {
            f"{table.party.city}/{name}": (table, table.guests[name])
            for table in tables
            if name not in table.begun
        }
        if meeting.reuse_level and len(learners) > 1:
            _teach_together(learners, meeting, ledger)
        else:
            for table, learner in learners.values():
                learner.teach_itself(table.own_times[name], draw=seed)
        taught(done)
    return ledger


def _teach_together(
    learners: Mapping[str, tuple[Table, AgencyLearner]], meeting: MeetingSettings, ledger: Ledger
) -> None:
    steps = max(1, meeting.own_steps // TEACHING_ROUNDS)
    handlers = {
        name: EncodingParty(learner, meeting.reuse_level, table.own_times[learner.name], steps)
        for name, (table, learner) in learners.items()
    }
    exchange = InProcessExchange(handlers, ledger=ledger)
    first = next(iter(learners.values()))[1]
    reference = first.export(first.encoder.hidden_layers)
    levels = dict.fromkeys(handlers, meeting.reuse_level)
    learn_together(exchange, Plan(levels, reference, FedAvg(), TEACHING_ROUNDS))


def _measured(service: Service, party: Party) -> tuple[Samples, Times]:
    """Training samples with a measured target, and the times of their origins."""
    settings = service.settings
    stride = settings.training.stride if not party.scarce else 1
    origins = train_origins(party.inputs.settings, party.split.train)[::-1][::stride][::-1]
    known = np.isfinite(party.data.train.truth_BNH).any(axis=(1, 2))
    part = party.data.train
    kept = Samples(
        part.features_BNF[known],
        part.summaries_BNHS[known],
        part.anchor_BNH[known],
        part.truth_BNH[known],
        part.scale_N1,
        part.recent,
    )
    return kept, party.panel.time_T[origins[known]]


def _panel(city: CityFile, guest: GuestSettings, party: Party) -> tuple[Panel, Span]:
    """An agency's chosen fields, and all its steps before the party's validation span."""
    agency = city.city.agency(guest.agency)
    names = {known.name for known in guest_fields(agency, guest)}
    panel = load_panel(city, guest.agency)
    chosen = [index for index, known in enumerate(panel.fields) if known.name in names]
    fields = tuple(panel.fields[index] for index in chosen)
    panel = replace(panel, fields=fields, values_TNF=panel.values_TNF[:, :, chosen])
    end = learned_until(party)
    return panel, Span(0, max(int(np.searchsorted(panel.time_T, end)), 1))


def _thin(times_T: Times) -> Times:
    """Neighbouring origins say nearly the same: at most `_MANY`."""
    return times_T[:: max(1, len(times_T) // _MANY)]
