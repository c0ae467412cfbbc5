"""From a service's trainings and its sites' results to the service's part of `results.json`.

All of it is known to whoever leads the trainings, in one process or between machines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepcity import __version__
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.party_choices import joined_method
from deepcity.maps.city_map import CityMap, Service
from deepcity.parties import method_errors as names
from deepcity.runs.application_notes import application_notes
from deepcity.runs.note import Note
from deepcity.runs.notes import service_notes
from deepcity.runs.progress import is_lone
from deepcity.runs.results import MethodTraffic, PartyResult, RunResults, ServiceResult
from deepcity.runs.summary import curve, sum_traffic, traffic
from deepcity.store.packages.manifest import Manifest


@dataclass(frozen=True)
class ServiceOutcome:
    """What came of a service.

    Attributes:
        profiles: of its sites, newcomers among them.
        trainings: by method; `stages` those of episodic training.
        seconds: by method.
        parties: each site's results; at least one.
        notes: more notes on the service.
        package: that it started from.
    """

    service: Service
    profiles: Mapping[str, SiteProfile]
    trainings: Mapping[str, Training]
    stages: Sequence[Training]
    seconds: Mapping[str, float]
    parties: Sequence[PartyResult]
    notes: Sequence[Note] = ()
    package: Manifest | None = None

    @property
    def joined(self) -> Training | None:
        """The training at the deepest level granted."""
        return self.trainings.get(joined_method(self.service.settings))

    @property
    def earlier_seconds(self) -> float:
        """Seconds spent on its rounds before the run was resumed."""
        return sum(one.earlier_seconds for one in (*self.trainings.values(), *self.stages))

    def result(self) -> ServiceResult:
        """Its part of the results."""
        service, settings = self.service, self.service.settings
        application, first = service.application, self.parties[0]
        return ServiceResult(
            name=settings.name,
            title=settings.title.value() if settings.title else application.title,
            question=application.question,
            decision=application.decision,
            unit=first.unit or "",
            horizon_steps=first.horizon_steps or 0,
            step_minutes=first.step_minutes or 0.0,
            parties=list(self.parties),
            curves=[curve(name, training) for name, training in self.trainings.items()],
            traffic=self._traffic(),
            seconds=dict(self.seconds),
            notes=[
                *service_notes(settings, self.profiles, self.package, self.joined),
                *application_notes(service, self.profiles),
                *self.notes,
            ],
            who=settings.who.value() if settings.who else None,
            metric=application.metric.title,
            metric_in_unit=application.metric.in_unit,
            baselines=[baseline.value for baseline in application.baselines],
        )

    def _traffic(self) -> list[MethodTraffic]:
        """Bytes of every method; the choice of a level costs those of the deepest training and of
        episodic training. A lone party has nobody to send to.
        """
        settings = self.service.settings
        if is_lone(settings, len(self.profiles)):
            return []
        found = [traffic(name, training) for name, training in self.trainings.items()]
        if settings.automatic and self.joined is not None:
            spent = [traffic("", one) for one in (self.joined, *self.stages)]
            found.append(sum_traffic(names.AUTOMATIC, spent))
        return found


def run_results(
    city_map: CityMap, services: Sequence[ServiceOutcome], seconds: float
) -> RunResults:
    """The results of a run.

    Args:
        seconds: of this run; those of earlier ones that it resumed are added.
    """
    return RunResults(
        map=city_map.settings.name,
        title=city_map.settings.title.value(),
        version=__version__,
        seed=city_map.settings.seed,
        seconds=seconds + sum(one.earlier_seconds for one in services),
        services=[one.result() for one in services],
    )
