"""From a party of a map to its feature parties: their panels, cells and encoders.

Everything here happens on each agency's own side; a coordinator is given
`VerticalSetup.task` alone, and sends messages to `VerticalSetup.all_sites`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.panel import records_digest
from deepcity.exchange.exchange import Exchange, Failure
from deepcity.exchange.inprocess import InProcessExchange, lead_apart
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import learn_together
from deepcity.learning.features.agency_columns import cell_number
from deepcity.learning.features.input_columns import InputColumns, name_cells
from deepcity.learning.features.inputs import Samples, train_origins
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.split.cell_matching import MAX_DISTANCE_KM, distant_places
from deepcity.learning.split.labels import HeldLabels
from deepcity.maps.city_map import Member, Service
from deepcity.maps.vertical_settings import VerticalSettings
from deepcity.parties.party import Party
from deepcity.parties.releases.layer_release import purpose_of
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_releases import AgencyReleases
from deepcity.vertical.agency_setup import AgencyTerms, build_agency, salt_of
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.pretrained import Fields
from deepcity.vertical.pretraining import (
    EqualAgencies,
    equal_agencies,
    pretraining_plan,
    pretraining_steps,
)
from deepcity.vertical.task import VerticalTask

Found = TypeVar("Found")


@dataclass(frozen=True)
class RemoteAgency:
    """A feature party on another machine, as the map and its own answer describe it.

    Attributes:
        fields: those it encodes, each with its unit.
        step_s: of its own records.
        raw_bytes: size of its records, which do not leave, as it says.
    """

    name: str
    fields: Fields
    step_s: int
    raw_bytes: int = 0


@dataclass(frozen=True)
class VerticalSetup:
    """A party that holds labels, and its feature parties: their sites, or the way to them.

    A coordinator is given `task`, and an exchange to the agencies (`lead`).

    Attributes:
        party, vertical, service: the party and its service's settings and name.
        train, train_times: training samples with a measured target, and their origins.
        sites: agency -> its site, where all run in one process.
        own_site: the party's own, where its labels stay apart from the application.
        place_cells: the party's own places as cells.
        salt: shared by the agencies, to hash places without a position into cells.
        records: digest of all records.
        application: its name.
        purpose: of the service.
        remote: agency -> what is known of it, where each runs on its own machine.
        connect: an exchange to these, which counts in the ledger given.
    """

    party: Party
    vertical: VerticalSettings
    service: str
    train: Samples
    train_times: Ints
    sites: Mapping[str, AgencySite]
    place_cells: Sequence[int]
    salt: str
    own_site: AgencySite | None = None
    records: str = ""
    application: str = ""
    remote: Mapping[str, RemoteAgency] = field(default_factory=dict)
    connect: Callable[[Ledger], Exchange] | None = None
    purpose: str = ""

    @property
    def agencies(self) -> Mapping[str, AgencySite | RemoteAgency]:
        """The feature parties by name, in the order of the map."""
        return self.remote or self.sites

    def exchange(self, ledger: Ledger) -> Exchange:
        """To the feature parties, in this thread."""
        if self.connect is not None:
            return self.connect(ledger)
        return InProcessExchange(self.sites, ledger=ledger)

    def lead(self, coordinate: Callable[[Exchange, Ledger], Found]) -> Found:
        """What a coordinator finds that reaches nothing of the agencies but an exchange."""
        ledger = Ledger()
        if self.connect is not None:
            return coordinate(self.connect(ledger), ledger)
        return lead_apart(
            self.all_sites,
            lambda lines: coordinate(InProcessExchange(lines, ledger=ledger), ledger),
        )

    @property
    def all_sites(self) -> dict[str, AgencySite]:
        """The sites of `sites`, and the party's own."""
        own = {} if self.own_site is None else {self.own_site.name: self.own_site}
        return {**self.sites, **own}

    @property
    def task(self) -> VerticalTask:
        """The forecast as the coordinator knows it."""
        cells: dict[str, Sequence[int]] = dict.fromkeys(self.agencies, self.place_cells)
        if self.own_site is not None:
            cells[self.own_site.name] = name_cells(self.party.panel.places, self.salt)
        time_T, party = self.party.panel.time_T, self.party
        return VerticalTask(
            cells,
            party.test.truth_BNH.shape[-1],
            self.train_times,
            time_T[party.validation_origins],
            time_T[party.test_origins],
            {one.agency: one.width for one in self.vertical.agency},
        )


def build_setup(
    service: Service, member: Member, party: Party, seed: int, home: Path = Path()
) -> VerticalSetup:
    """Build a party and the sites of its city's agencies, with encoders not yet pretrained.

    Encoders named in the map are loaded from files relative to `home`.

    Raises:
        DataError: with the problems of an agency's records, or places too far from all its cells.
        LayerPackageError: if an agency cannot start from the encoder named in the map.
    """
    case = _Case(service, member, party, seed)
    train, times = _measured(service, party)
    cells, terms = _place_cells(case), terms_of(party)
    sites, records = {}, [(party.name, party.panel)]
    for feature_party in case.vertical.agency:
        name = feature_party.agency
        site, panel = build_agency(
            service, member.city_file, feature_party, terms, seed, home, case.receiver
        )
        sites[name] = site
        records.append((name, panel))
        check_near(name, site.learner.columns.cells.cell_C, party, cells)
    own = _own_site(case, train, times) if case.vertical.labels_stay else None
    return VerticalSetup(
        party,
        case.vertical,
        case.name,
        train,
        times,
        sites,
        cells,
        case.salt,
        own,
        records_digest(records),
        service.settings.application,
        purpose=purpose_of(service.settings),
    )


def build_remote_setup(
    service: Service,
    member: Member,
    party: Party,
    remote: Mapping[str, RemoteAgency],
    connect: Callable[[Ledger], Exchange],
) -> VerticalSetup:
    """Build a party whose agencies run on machines of their own; no agency's rows are read."""
    case = _Case(service, member, party, 0)
    train, times = _measured(service, party)
    return VerticalSetup(
        party,
        case.vertical,
        case.name,
        train,
        times,
        {},
        _place_cells(case),
        case.salt,
        records=records_digest([(party.name, party.panel)]),
        application=service.settings.application,
        remote=remote,
        connect=connect,
        purpose=purpose_of(service.settings),
    )


@dataclass(frozen=True)
class _Case:
    """One party of a service, with one seed."""

    service: Service
    member: Member
    party: Party
    seed: int

    @property
    def vertical(self) -> VerticalSettings:
        vertical = self.service.settings.vertical
        assert vertical is not None
        return vertical

    @property
    def name(self) -> str:
        return self.service.settings.name

    @property
    def salt(self) -> str:
        return salt_of(self.service, self.party.city)

    @property
    def receiver(self) -> str:
        """Who gets activations: the party, whose application it is, unless that is apart."""
        return "" if self.vertical.labels_stay else self.party.name


def _place_cells(case: _Case) -> list[int]:
    return [cell_number(place, case.salt) for place in case.party.panel.places]


def _own_site(case: _Case, train: Samples, train_times: Ints) -> AgencySite:
    """The party itself as an agency that sends activations and computes the loss."""
    party, vertical, data = case.party, case.vertical, case.party.data
    columns = InputColumns.of(party.inputs, party.panel.time_T, party.panel.places, case.salt)
    settings = EncoderSettings(
        vertical.level,
        vertical.own_width,
        pretrain_steps=vertical.pretrain_steps,
        defences=vertical.own_defences.value(party.panel.clock.step_s),
    )
    mae_weight = case.service.settings.training.mae_weight
    return AgencySite(
        AgencyLearner(party.name, columns, settings, case.seed, 0),
        DeepGrant(agency=party.name, service=case.name, widest=64),
        train_times,
        labels=HeldLabels(train, data.validation, mae_weight, data.ridge_skip_HS),
        releases=AgencyReleases(
            case.service.settings,
            case.member.city_file,
            case.member.agency.name,
            party.name,
            case.receiver,
            vertical.level,
            settings.defences,
        ),
    )


def check_near(feature_party: str, cell_C: Ints, party: Party, cells: Sequence[int]) -> None:
    """Refuse places far from every cell: a wrong position would match any nearest cell.

    Raises:
        DataError: naming each.
    """
    places = party.panel.places
    far = f"from the nearest cell of {feature_party}; the limit is {MAX_DISTANCE_KM:.0f}"
    right = (
        f"correct lat and lon of the place, or of {feature_party}'s places (are the two swapped?)"
    )
    problems = []
    for row, km in distant_places(cells, cell_C).items():
        key, position = f"places[{places[row].id}]", (places[row].lat, places[row].lon)
        problems.append(Problem(party.name, key, position, f"{km:,.0f} km {far} km away", right))
    if problems:
        raise DataError(problems)


def terms_of(party: Party) -> AgencyTerms:
    """What the agencies that help a party must know."""
    until = int(party.panel.time_T[party.split.train.end])
    return AgencyTerms(until, party.inputs.settings.horizon * party.panel.clock.step_s)


@dataclass(frozen=True)
class Pretraining:
    """How encoders were pretrained.

    Attributes:
        ledger: what equal agencies sent.
        failures: party -> what its agencies' layers were left out of, and why.
    """

    ledger: Ledger = field(default_factory=Ledger)
    failures: Mapping[str, Sequence[Failure]] = field(default_factory=dict)


def pretrain_encoders(
    setups: Sequence[VerticalSetup],
    seed: int,
    done_agencies: Callable[[int], None] = lambda _done: None,
) -> Pretraining:
    """Pretrain every encoder; by federated rounds between equal agencies of several cities.

    Args:
        setups: of all parties of a service, in its order.
        done_agencies: called with the number of agencies (by name) that are done.
    """
    ledger, failed = Ledger(), defaultdict[str, list[Failure]](list)
    vertical, of_party = setups[0].vertical, {setup.party.name: setup for setup in setups}
    agencies = {one.agency: one for one in vertical.agency}
    for done, name in enumerate(setups[0].sites, 1):
        together: set[str] = set()
        for group in equal_agencies(vertical, of_party, agencies[name]):
            sites = {one: of_party[party].sites[name] for one, party in group.helped.items()}
            for failure in _pretrain_together(sites, vertical, seed, ledger, group):
                failed[group.helped[failure.party]].append(failure)
            together.update(group.helped.values())
        for party, setup in of_party.items():
            if party not in together and not setup.sites[name].pretrained:
                setup.sites[name].pretrain(seed)
        done_agencies(done)
    for setup in setups:
        if setup.own_site is not None:
            setup.own_site.pretrain(seed)
    return Pretraining(ledger, failed)


def _pretrain_together(
    sites: Mapping[str, AgencySite],
    vertical: VerticalSettings,
    seed: int,
    ledger: Ledger,
    group: EqualAgencies,
) -> set[Failure]:
    steps = pretraining_steps(vertical)
    handlers = {
        name: site.pretraining_party(vertical.reuse_level, steps, group)
        for name, site in sites.items()
    }
    plan = pretraining_plan(vertical, sites, seed)
    done = learn_together(InProcessExchange(handlers, ledger=ledger), plan)
    return {failure for failed in done.failures for failure in failed}


def _measured(service: Service, party: Party) -> tuple[Samples, Ints]:
    """Training samples with a measured target, and the times of their origins."""
    settings = service.settings
    stride = settings.training.stride if not party.scarce else 1
    origins = train_origins(party.inputs.settings, party.split.train)[::-1][::stride][::-1]
    known = np.asarray(np.isfinite(party.data.train.truth_BNH).any(axis=(1, 2)))
    return party.data.train.take(known), party.panel.time_T[origins[known]]
