"""The shared layers of a run's last round, as a package that others may start from."""

from datetime import UTC, datetime
from pathlib import Path

from deepcity.city.field import Kind
from deepcity.city.level import layers_up_to
from deepcity.exchange.coordinator import Training
from deepcity.intercity.party_choices import round_members
from deepcity.maps.city_map import Member
from deepcity.runs.outcome.service_outcome import ServiceOutcome
from deepcity.runs.summary import curve
from deepcity.store.packages.layer_package import save_package
from deepcity.store.packages.manifest import Facts
from deepcity.store.run_folder import ensure_folder, layers_folder


def export_common_layers(outcome: ServiceOutcome, folder: Path) -> None:
    """Write a service's package into the folder of its run; nothing where nothing was shared."""
    joined = outcome.joined
    if joined is not None and any(joined.levels.values()):
        _export(outcome, joined, folder)


def _export(outcome: ServiceOutcome, joined: Training, folder: Path) -> None:
    settings, package = outcome.service.settings, outcome.package
    members = {member.name: member for member in outcome.service.members}
    sites = [members[name] for name in round_members(settings, outcome.profiles)]
    profiles = [outcome.profiles[site.name] for site in sites]
    window = settings.window_of(sites[0].name)
    facts = Facts(
        name=f"{settings.name}-common",
        city="+".join(sorted({site.city_file.city.name for site in sites})),
        service=settings.name,
        field_kinds=(_kind(sites[0]),),
        step_seconds=profiles[0].step_s,
        history_steps=window.history,
        horizon_steps=window.horizon,
        trained_from=datetime.fromtimestamp(min(one.train_from for one in profiles), UTC),
        trained_to=datetime.fromtimestamp(max(one.train_to for one in profiles), UTC),
        metrics={"relative_validation_error": curve("", joined).error_by_round[-1]},
        parents=(package.sha256,) if package else (),
    )
    fused = layers_up_to(max(joined.levels.values()))  # private layers stay out
    state = joined.progress.state.layers  # and a head that not all share
    layers = {name: state[name] for name in fused if name in state}
    target = ensure_folder(layers_folder(folder))
    for old in target.glob(f"{settings.name}-common-*.layers"):
        old.unlink()
    save_package(target, facts, layers)


def _kind(member: Member) -> Kind:
    """The kind of field a site forecasts."""
    return next(one.kind for one in member.agency.fields if one.name == member.field)
