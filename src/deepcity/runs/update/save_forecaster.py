"""Writes each party's forecaster bundle after a run, so that it can be updated later."""

from pathlib import Path

from deepcity.data.panel import measured_end
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.own_experts import expert_data
from deepcity.parties.party import Party
from deepcity.runs.update.bundle_replay import with_replay
from deepcity.runs.update.error_log import append_days, run_error_days
from deepcity.runs.update.forecaster_bundle import (
    MODEL,
    BundleIdentity,
    BundleStore,
    BundleTerms,
    BundleTimes,
    ForecasterBundle,
    RowsChecksum,
)
from deepcity.runs.update.refinable_experts import kept_experts


def save_forecasters(
    folder: Path,
    settings: ServiceSettings,
    party: Party,
    choice: LevelChoice,
    test_forecasts: EnsembleForecast,
) -> None:
    """Write a party's forecaster bundle into its folder; one that was updated since is kept.

    An existing bundle is of the same run: folders of other runs are refused before.

    Raises:
        CheckpointError: if it cannot be written.
    """
    bundles = BundleStore.of(folder)
    found = bundles.load(settings.name, party.name)
    if found is None or not found.number:
        bundle = bundle_of(settings, party, choice, test_forecasts)
        bundles.save(with_replay(bundle, party.panel))


def bundle_of(
    settings: ServiceSettings, party: Party, choice: LevelChoice, test: EnsembleForecast
) -> ForecasterBundle:
    """A party's forecaster bundle, `test` being its forecast of the test days."""
    train, validation = party.split.train, party.split.validation
    old = party.inputs.values_TN[train.start : validation.end]
    aside_to = _start(party, validation.end)
    return ForecasterBundle(
        identity=BundleIdentity(
            model=MODEL,
            service=settings.name,
            party=party.name,
            field=party.field,
            unit=party.unit,
            step_s=party.panel.clock.step_s,
            places=tuple(place.id for place in party.panel.places),
            window=party.inputs.settings,
        ),
        times=BundleTimes(
            train_from=_start(party, train.start),
            train_to=_start(party, train.end),
            aside_to=aside_to,
            learned_to=aside_to,
            seen_to=max(aside_to, _start(party, measured_end(party.inputs.values_TN))),
        ),
        experts=kept_experts(choice, expert_data(party, settings.training, 0)),
        ensemble=test.ensemble,
        days=append_days(*run_error_days(party, choice, test.forecast_BNH)),
        watch_from=0,
        old_rows=RowsChecksum.of(old),
        terms=BundleTerms(
            application=settings.application,
            band=settings.band,
            newcomer=party.newcomer,
            validation_stride=settings.span.validation_stride,
            weather=party.weather is not None,
            time_zone=party.panel.clock.time_zone,
            kind=party.panel.fields[party.panel.field_index(party.field)].kind.value,
            holidays=tuple(sorted(party.panel.clock.holidays)),
        ),
        adjacency_NN=party.panel.adjacency_NN,
    )


def _start(party: Party, step: int) -> int:
    return int(party.panel.time_T[0]) + step * party.panel.clock.step_s
