"""Forecasts of a vertical training, from its packages and the city file's records.

As `deepcity serve` makes them, but with agencies' rows encoded here and now: for a run whose
sites lie in one folder. An agency whose encoder or rows are missing is left out, as a late one is.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.city.errors import CheckpointError, DeepCityError, LiveError
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.panel import Panel, measured_end
from deepcity.forecasting.forecast_run import gap_of
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap, find_gaps
from deepcity.forecasting.run_parties import RunParty
from deepcity.forecasting.table import PartyForecasts
from deepcity.learning.split.encoder_package import SUFFIX as ENCODER
from deepcity.learning.split.encoder_package import EncoderPackage, load_encoder
from deepcity.learning.split.fused_package import SUFFIX as FUSED
from deepcity.learning.split.fused_package import FusedPackage, load_fused
from deepcity.live.application import (
    AgencyState,
    AgencyStatus,
    LiveApplication,
    LiveForecast,
)
from deepcity.live.decisions import can_decide, decide, live_state
from deepcity.live.encoded_rows import Encoded, EncodedRows
from deepcity.maps.city_map import CityMap
from deepcity.parties.releases.deep_release import DeepRelease, deep_release
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.runs.note import Note
from deepcity.store.deep_data.batch import Space
from deepcity.store.run_folder import site_folder


def fused_packages(folder: Path) -> list[Path]:
    """The packages of applications in the folder of a vertical run, or of its party's site."""
    found = [*folder.glob(f"sites/*/packages/*/*{FUSED}"), *folder.glob(f"packages/*/*{FUSED}")]
    return sorted(found)


def vertical_parties(
    folder: Path, city_map: CityMap | None, city_file: CityFile | None
) -> "list[VerticalForecaster]":
    """The parties of a vertical run's folder; of several packages of one, the newest.

    Args:
        city_map: of the run; or `city_file`, of the party's city, where a site was carried.

    Raises:
        LayerPackageError: if a package is damaged.
    """
    files = {one.city.name: one for one in (city_map.cities if city_map else ())}
    if city_file is not None:
        files[city_file.city.name] = city_file
    newest: dict[tuple[str, str], tuple[Path, FusedPackage]] = {}
    for path in sorted(fused_packages(folder), key=lambda path: path.stat().st_mtime_ns):
        package = load_fused(path)
        facts = package.facts
        if facts.city in files:
            newest[facts.service, path.parent.name] = (path, package)
    return [
        VerticalForecaster(_run_party(folder, package, files, city_map), package, path.parent.name)
        for path, package in newest.values()
    ]


def _run_party(
    folder: Path, package: FusedPackage, files: dict[str, CityFile], city_map: CityMap | None
) -> RunParty:
    facts = package.facts
    name, of_map = f"{facts.city}/{facts.agency}", None
    for service in city_map.services if city_map else ():
        for member in service.members:
            same = member.name.partition(":")[0] == name and member.field == facts.field
            if service.settings.name == facts.service and same:
                name, of_map = member.name, (service, member)
    return RunParty(folder, facts.service, name, files[facts.city], facts.agency, of_map)


@dataclass(frozen=True, eq=False)
class VerticalAnswer:
    """What a party of a vertical run answers.

    Attributes:
        forecasts: its forecast, or why there is none.
        decision: of its application; None: it makes none.
        agencies: status and age of each agency's deep data; empty where there is no forecast.
        state: what the decision was made from; None: it makes none.
    """

    forecasts: PartyForecasts
    decision: Decision | None = None
    agencies: tuple[AgencyState, ...] = ()
    state: State | None = None


@dataclass(frozen=True)
class VerticalForecaster:
    """A party of a vertical run, with the agencies whose encoders are in its folder.

    Attributes:
        party: what it is.
        package: its trained application.
        site: name of the party's folder, in which agencies keep its encoders.
        load: an agency's records.
    """

    party: RunParty
    package: FusedPackage
    site: str
    load: Callable[[CityFile, str], Panel] = load_panel

    @property
    def sources(self) -> tuple[RunParty, ...]:
        """Whose records it forecasts from: its own, and those of its agencies."""
        names = [agency.name for agency in self.package.facts.agencies]
        own = self.party
        return (own, *(replace(own, agency=name, of_map=None) for name in names))

    def forecast(self, at: datetime | None = None, panel: Panel | None = None) -> PartyForecasts:
        """Its forecast, or why there is none; agencies' records are read anew.

        Args:
            at: as `Forecaster.predict` takes it; at most a day after the newest own row.
            panel: its own records; left out, they are read now.
        """
        return self.answer(at, panel).forecasts

    def answer(
        self,
        at: datetime | None = None,
        panel: Panel | None = None,
        application: LiveApplication | None = None,
    ) -> VerticalAnswer:
        """Its forecast, or why there is none, and what its application decides on it.

        Args:
            at, panel: as of `forecast`.
            application: one of the package that stays open, with a store of its own; left out,
                agencies' rows are encoded now.
        """
        failed = PartyForecasts(self.party.service, self.party.party, None)
        try:
            rows = self.party.panel() if panel is None else self.party.of_service(panel)
            if application is None:
                application = LiveApplication(self.package, self.encoded_rows())
            application.load_rows(rows)
            whole, found, note = self._forecast(application, rows, at)
        except LiveError as error:
            late = Gap("late-records" if "more than a day" in str(error) else "records")
            return VerticalAnswer(replace(failed, gap=replace(late, detail=str(error))))
        except DeepCityError as error:
            return VerticalAnswer(replace(failed, gap=gap_of(error)))
        answered = replace(failed, forecasts=found, note=note)
        if not can_decide(self.package):
            return VerticalAnswer(answered, None, whole.agencies)
        made, state = decide(application, whole).decision, live_state(application, whole)
        return VerticalAnswer(answered, made, whole.agencies, state)

    def backtest(
        self, start: datetime | None, end: datetime | None, stride: int | None
    ) -> PartyForecasts:
        """None: the packages of a vertical run hold no weights of days past."""
        detail = (
            "a vertical run keeps its application and encoders only; `deepcity forecast --at` "
            "forecasts any time after its training days, and vertical.json holds its test errors"
        )
        gap = Gap("forecaster", detail=detail)
        return PartyForecasts(self.party.service, self.party.party, None, gap)

    def _forecast(
        self, application: LiveApplication, rows: Panel, at: datetime | None
    ) -> tuple[LiveForecast, Forecasts, str]:
        facts, clock = self.package.facts, rows.clock
        values_TN = rows.values_TNF[:, :, rows.field_index(facts.field)]
        first = int(rows.time_T[0])
        second = first + measured_end(values_TN) * clock.step_s
        if at is not None:
            zoned = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(clock.time_zone))
            second = int(zoned.timestamp())
        if second <= facts.train_s[1]:
            raise LiveError(
                f"at {at}", "the application learned from these rows", "give a later time"
            )
        found = application.forecast(second)
        gaps = find_gaps(
            values_TN, (found.at - first) // clock.step_s, clock.step_s, facts.settings.history
        )
        value_NH = found.value_NH.copy()
        value_NH[list(gaps)] = np.nan
        lacking = [one for one in found.agencies if one.status is not AgencyStatus.FRESH]
        note = "; ".join(
            f"without {one.name} ({one.status.value}{': ' + why if why else ''})"
            for one in lacking
            for why in [one.note if one.doubt is None else _code_and_numbers(one.doubt)]
        )
        floor = 0.0 if (found.low_NH >= 0).all() else float("-inf")  # low ends are on it already
        forecasts = Forecasts(
            clock=clock,
            places=found.places,
            field=facts.field,
            unit=facts.unit,
            origin_B=np.array([found.at]),
            forecast_BNH=value_NH[None],
            half_BNH=(found.high_NH - found.value_NH)[None],
            truth_BNH=np.full_like(value_NH, np.nan)[None],
            floor=floor,
            gaps={found.places[place]: gap for place, gap in gaps.items()},
        )
        return found, forecasts, note

    def encoded_rows(self, without: Collection[str] = ()) -> EncodedRows:
        """Deep data of its agencies, from their rows as they are now.

        Args:
            without: agencies that are left out.
        """
        agencies: dict[Space, Encoded] = {}
        trouble: dict[Space, str] = {}
        for agency in self.package.facts.agencies:
            if agency.name in without:
                continue
            try:
                encoder = load_encoder(self._encoder(agency.name, agency.space.version))
                panel = self.load(self.party.city_file, agency.name)
                grant, release = self._grant(agency.name), self._release(encoder)
                agencies[agency.space] = Encoded.of(encoder, panel, grant, release)
            except (KeyError, DeepCityError) as error:
                trouble[agency.space] = " ".join(str(error).split())
        return EncodedRows(agencies, trouble)

    def _encoder(self, agency: str, version: str) -> Path:
        """The file of an agency's encoder.

        Raises:
            CheckpointError: if it is not in the folder.
        """
        folder, city = self.party.folder, self.package.facts.city
        name = f"packages/{self.site}/{agency}-{version}{ENCODER}"
        places = [site_folder(folder, f"{city}/{agency}") / name, folder / name]
        found = next((path for path in places if path.is_file()), None)
        if found is None:
            msg = f"its encoder {version} is not in {folder}"
            raise CheckpointError(msg)
        return found

    def _release(self, encoder: EncoderPackage) -> DeepRelease | None:
        """The policy of its city; None: it names none."""
        facts, level = encoder.facts, encoder.encoder.shape.level
        found = deep_release(
            self.party.city_file, facts.agency, facts.service, facts.purpose, level
        )
        site = site_folder(self.party.folder, f"{facts.city}/{facts.agency}")
        return None if found is None else found.measured_in(site, encoder.version)

    def _grant(self, agency: str) -> DeepGrant | None:
        """What the map lets an agency send; None without a map."""
        if self.party.of_map is None or self.party.of_map[0].settings.vertical is None:
            return None
        service = self.party.of_map[0].settings
        assert service.vertical is not None
        for one in service.vertical.agency:
            if one.agency == agency:
                return DeepGrant(
                    agency=agency,
                    service=service.name,
                    least_level=one.least_level,
                    widest=one.widest,
                )
        return None


def _code_and_numbers(doubt: Note) -> str:
    """A doubt in a table's cell: sentences are made where people read."""
    return " ".join([doubt.code, *(f"{name} {value:g}" for name, value in doubt.numbers.items())])
