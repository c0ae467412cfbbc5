"""`deepcity audit`: every party and agency of a run's folder whose rows are here, one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deepcity.audit.audit_file import begun_audit, read_audits, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import PartyAudit
from deepcity.audit.steps import run_steps
from deepcity.city.errors import CheckpointError, ConfigError, DeepCityError
from deepcity.city.given_path import no_run
from deepcity.city.problem import Problem
from deepcity.city.progress import NoProgress, ProgressListener, task_name
from deepcity.data.city_file import load_city
from deepcity.data.config.toml_file import did_you_mean
from deepcity.forecasting.audit_encoder import (
    AgencyEncoder,
    encoder_paths,
    find_encoders,
    plan_encoder_audit,
)
from deepcity.forecasting.audit_network import AuditPlan, plan_network_audit
from deepcity.forecasting.run_parties import find_parties, map_of
from deepcity.runs.update.forecaster_bundle import saved_forecasters


@dataclass(frozen=True)
class AuditRequest:
    """What is to be audited, and how thoroughly.

    Attributes:
        service, parties: only these; None and none: all.
    """

    service: str | None = None
    parties: tuple[str, ...] = ()
    effort: EffortName = EffortName.FAST
    seed: int = 0
    map_file: Path | None = None
    city_file: Path | None = None


@dataclass(frozen=True)
class AuditFailure:
    """A party that was not audited, and why."""

    party: str
    error: DeepCityError


@dataclass(frozen=True)
class AuditRun:
    """What an audit of a folder found."""

    audits: tuple[PartyAudit, ...]
    failures: tuple[AuditFailure, ...] = ()


@dataclass(frozen=True, eq=False)
class AuditTarget:
    """One model to audit: whose it is, the site's folder, and how its audit is planned."""

    service: str
    party: str
    site: Path
    plan: Callable[[EffortName, int], AuditPlan] = field(repr=False)


def audit_folder(
    folder: Path, asked: AuditRequest, listener: ProgressListener | None = None
) -> AuditRun:
    """Audit models of a run; each step is kept in its site's folder as soon as it is done.

    A party that cannot be audited does not stop the others.

    Raises:
        CheckpointError: if the folder holds nothing to audit, its map is not found, or a result
            cannot be written.
        ConfigError: with every name that is unknown, or every problem of the map or city file.
        LayerPackageError: if an encoder is damaged.
    """
    targets = _asked(audit_targets(folder, asked), asked)
    listener = listener or NoProgress()
    audits, failures = [], []
    for target in targets:
        try:
            plan = target.plan(asked.effort, asked.seed)
        except DeepCityError as error:
            failures.append(AuditFailure(target.party, error))
            continue
        audits.append(_audited(target, plan, listener))
    return AuditRun(tuple(audits), tuple(failures))


def audit_targets(folder: Path, asked: AuditRequest) -> list[AuditTarget]:
    """Every network and encoder in a run's folder.

    Raises:
        CheckpointError: if there is none, or the map is not found.
    """
    encoders = encoder_paths(folder)
    found: list[AuditTarget] = []
    if saved_forecasters(folder):
        found += [
            AuditTarget(one.service, one.party, one.site, partial(plan_network_audit, one))
            for one in find_parties(folder, map_file=asked.map_file, city_file=asked.city_file)
        ]
    if encoders:
        found += [_encoder_target(one) for one in _encoders(folder, asked)]
    if not found:
        lacking = "it holds neither a forecaster nor an encoder"
        raise CheckpointError("{}: {}; {}".format(folder, *no_run(folder, lacking)))
    return found


def _encoders(folder: Path, asked: AuditRequest) -> list[AgencyEncoder]:
    if asked.city_file is not None:
        return find_encoders(folder, [load_city(asked.city_file)])
    return find_encoders(folder, list(map_of(folder, asked.map_file).cities))


def _encoder_target(one: AgencyEncoder) -> AuditTarget:
    plan = partial(plan_encoder_audit, one)
    return AuditTarget(one.package.facts.service, one.name, one.site, plan)


def _asked(targets: Sequence[AuditTarget], asked: AuditRequest) -> list[AuditTarget]:
    """Those asked for.

    Raises:
        ConfigError: with every name that is unknown.
    """
    services = list(dict.fromkeys(one.service for one in targets))
    parties = list(dict.fromkeys(one.party for one in targets))
    problems = [
        Problem("command line", key, name, "not in this run", did_you_mean(name, known))
        for key, known, names in (
            ("--service", services, [] if asked.service is None else [asked.service]),
            ("--party", parties, asked.parties),
        )
        for name in names
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
    names, service = asked.parties, asked.service
    of_service = [one for one in targets if service in (None, one.service)]
    return [one for one in of_service if not names or one.party in names]


def _audited(target: AuditTarget, plan: AuditPlan, listener: ProgressListener) -> PartyAudit:
    name = task_name(target.service, target.party)
    begun = begun_audit(read_audits(target.site, target.party), plan.audit)
    listener.begin(name, len(plan.steps))
    save = partial(save_audit, target.site, target.party)
    return run_steps(begun, plan.steps, save, partial(listener.advance, name))
