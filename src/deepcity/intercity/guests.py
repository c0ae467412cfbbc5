"""From a party of a map to the agencies that meet it: their panels, cells and encoders.

Everything here happens on each agency's own side; a coordinator is given `Table.task` alone, and
sends messages to `Table.all_sites`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
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
from deepcity.learning.encoder import first_layers
from deepcity.learning.encoder_package import EncoderFacts, TimeGrid
from deepcity.learning.features import Samples, train_origins
from deepcity.learning.labels import HeldLabels
from deepcity.learning.match import FARTHEST_KM, too_far
from deepcity.learning.own_columns import OwnColumns, own_cells
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.task import VerticalTask

_MANY = 6000
TEACHING_ROUNDS = 6  # meetings of equal agencies of several cities while they teach themselves


@dataclass(frozen=True)
class Table:
    """A party that holds labels, and the sites of the agencies that it listens to.

    Put together where all live in one process; a coordinator is given `task`, and sends messages
    to `all_sites`.

    Attributes:
        train, train_times: training samples with a measured target, and their origins.
        sites: agency -> its site.
        own_site: the party's own, where its labels stay apart from the application.
        place_cells: the party's own places as cells.
        salt: what the agencies of this meeting agreed on.
        records: a digest of all records; the same only where nothing in them changed.
    """

    party: Party
    meeting: MeetingSettings
    service: str
    train: Samples
    train_times: Ints
    sites: Mapping[str, AgencySite]
    place_cells: Sequence[int]
    salt: str
    own_site: AgencySite | None = None
    records: str = ""

    @property
    def all_sites(self) -> dict[str, AgencySite]:
        """Those of `sites`, and the party's own."""
        own = {} if self.own_site is None else {self.own_site.name: self.own_site}
        return {**self.sites, **own}

    @property
    def task(self) -> VerticalTask:
        """What a coordinator knows of the forecast."""
        cells: dict[str, Sequence[int]] = dict.fromkeys(self.sites, self.place_cells)
        if self.own_site is not None:
            cells[self.own_site.name] = own_cells(self.party.panel.places, self.salt)
        time_T, party = self.party.panel.time_T, self.party
        return VerticalTask(
            cells,
            party.test.truth_BNH.shape[-1],
            self.train_times,
            time_T[party.validation_origins],
            time_T[party.test_origins],
        )


def lay(service: Service, member: Member, party: Party, seed: int, home: Path = Path()) -> Table:
    """Bring a party and the agencies of its city together; encoders have learned nothing yet.

    But for those of another service's meeting, which are taken from files relative to `home`.

    Raises:
        DataError: with the problems of an agency's records, or places too far from all its cells.
        LayerPackageError: if an agency cannot begin with the encoder that is named.
    """
    case = _Case(service, member, party, seed)
    train, times = _measured(service, party)
    cells = [cell_number(place, case.salt) for place in party.panel.places]
    sites, records = {}, [(party.name, party.panel)]
    for guest in case.meeting.agency:
        panel, span = _panel(member.city_file, guest, party)
        records.append((guest.agency, panel))
        sites[guest.agency] = site = _site(case, guest, panel, span)
        _check_near(guest.agency, site.learner.columns.cells.cell_C, party, cells)
        if (file := guest.encoder_of(party.city)) is not None:
            fields = tuple((known.name, known.unit) for known in panel.fields)
            begin_with(site.learner, home / file, party.city, fields, learned_until(party))
            site.pretrained = True
    own = _own_site(case, train, times) if case.meeting.labels_stay else None
    return Table(
        party,
        case.meeting,
        case.name,
        train,
        times,
        sites,
        cells,
        case.salt,
        own,
        digest_of(records),
    )


@dataclass(frozen=True)
class _Case:
    """One party of a service, with one seed."""

    service: Service
    member: Member
    party: Party
    seed: int

    @property
    def meeting(self) -> MeetingSettings:
        meeting = self.service.settings.meeting
        assert meeting is not None
        return meeting

    @property
    def name(self) -> str:
        return self.service.settings.name

    @property
    def salt(self) -> str:
        return f"{self.name}/{self.party.city}"


def _site(case: _Case, guest: GuestSettings, panel: Panel, span: Span) -> AgencySite:
    """An agency's rows and encoder."""
    party, agency = case.party, case.member.city_file.city.agency(guest.agency)
    columns = fit_columns(panel, guest.columns, span, case.salt)
    settings = EncoderSettings(guest.level, guest.deep, own_steps=case.meeting.own_steps)
    horizon_s = party.inputs.settings.horizon * party.panel.clock.step_s
    bounds = {"least_level": guest.least_level, "widest": guest.widest}
    facts = EncoderFacts(
        city=party.city,
        domain=agency.domain,
        agency=agency.name,
        service=case.name,
        salt=case.salt,
        fields=tuple((known.name, known.unit) for known in panel.fields),
        step_s=panel.clock.step_s,
        grid=TimeGrid(panel.clock.step_s),  # the application's takes its place
        learned_until=learned_until(party),
    )
    return AgencySite(
        AgencyLearner(agency.name, columns, settings, case.seed, horizon_s),
        DeepGrant(agency=agency.name, service=case.name, **bounds),
        _thin(panel.time_T[span.start : span.end]),
        facts,
        raw_bytes=panel.values_TNF.nbytes,
    )


def _own_site(case: _Case, train: Samples, train_times: Ints) -> AgencySite:
    """The party itself as an agency that sends activations, and judges by its labels."""
    party, meeting, data = case.party, case.meeting, case.party.data
    columns = OwnColumns.of(party.inputs, party.panel.time_T, party.panel.places, case.salt)
    settings = EncoderSettings(meeting.level, meeting.own_deep, own_steps=meeting.own_steps)
    absolute_share = case.service.settings.training.absolute_share
    return AgencySite(
        AgencyLearner(party.name, columns, settings, case.seed, 0),
        DeepGrant(agency=party.name, service=case.name, widest=64),
        train_times,
        labels=HeldLabels(train, data.validation, absolute_share, data.recall_HS),
    )


def _check_near(guest: str, cell_C: Ints, party: Party, cells: Sequence[int]) -> None:
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
    """Every encoder pretrains itself; equal agencies of several cities do it together.

    `taught` is told how many of the agencies (by name) are done.
    """
    ledger = Ledger()
    meeting = tables[0].meeting
    for done, name in enumerate(tables[0].sites, 1):
        sites = {
            f"{table.party.city}/{name}": table.sites[name]
            for table in tables
            if not table.sites[name].pretrained
        }
        if meeting.reuse_level and len(sites) > 1:
            _pretrain_together(sites, meeting, seed, ledger)
        else:
            for site in sites.values():
                site.pretrain(seed)
        taught(done)
    for table in tables:
        if table.own_site is not None:
            table.own_site.pretrain(seed)
    return ledger


def _pretrain_together(
    sites: Mapping[str, AgencySite], meeting: MeetingSettings, seed: int, ledger: Ledger
) -> None:
    steps = max(1, meeting.own_steps // TEACHING_ROUNDS)
    handlers = {
        name: site.pretraining_party(meeting.reuse_level, steps) for name, site in sites.items()
    }
    levels = dict.fromkeys(handlers, meeting.reuse_level)
    plan = Plan(levels, first_layers(meeting.level, seed), FedAvg(), TEACHING_ROUNDS)
    learn_together(InProcessExchange(handlers, ledger=ledger), plan)


def _measured(service: Service, party: Party) -> tuple[Samples, Ints]:
    """Training samples with a measured target, and the times of their origins."""
    settings = service.settings
    stride = settings.training.stride if not party.scarce else 1
    origins = train_origins(party.inputs.settings, party.split.train)[::-1][::stride][::-1]
    known = np.asarray(np.isfinite(party.data.train.truth_BNH).any(axis=(1, 2)))
    return party.data.train.take(known), party.panel.time_T[origins[known]]


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


def _thin(times_T: Ints) -> Ints:
    """Neighbouring origins say nearly the same: at most `_MANY`."""
    return times_T[:: max(1, len(times_T) // _MANY)]
