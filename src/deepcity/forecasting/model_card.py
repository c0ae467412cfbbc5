"""A forecaster's model card: what it learned from and what it is worth, for people and programs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deepcity import __version__
from deepcity.audit.audit_file import audits_of_run
from deepcity.audit.results import AuditSubject
from deepcity.city.clock import DAY_S
from deepcity.city.errors import CheckpointError
from deepcity.forecasting.audit_network import deepest_network, model_digest
from deepcity.forecasting.replay import OpenBundle
from deepcity.forecasting.run_parties import RunParty
from deepcity.runs.results import PartyResult, SiteResults
from deepcity.runs.site import RESULT
from deepcity.runs.update.forecaster_bundle import FOLDER
from deepcity.store.run_folder import read_results, site_folder

NOT_MEASURED = "not measured"


def model_card(party: RunParty, view: OpenBundle) -> dict[str, Any]:
    """The card as JSON values; times are ISO 8601 in UTC, errors in the field's unit."""
    bundle = view.bundle
    identity, times, terms = bundle.identity, bundle.times, bundle.terms
    weights = bundle.ensemble.weights_E.tolist()
    result = _result(party)
    updated = times.learned_to > times.aside_to  # else the days kept aside are the newest
    learned_to = times.learned_to if updated else times.train_to
    return {
        "service": identity.service,
        "party": identity.party,
        "field": identity.field,
        "unit": identity.unit,
        "places": len(identity.places),
        "step_minutes": identity.step_s / 60,
        "horizon_steps": identity.window.horizon,
        "history_steps": identity.window.history,
        "history_days": identity.window.days,
        "time_zone": terms.time_zone if terms else "",
        "application": terms.application if terms else "",
        "newcomer": bool(terms and terms.newcomer),
        "learned_from": {
            "rows": {"from": _iso(times.train_from), "to": _iso(learned_to)},
            "kept_aside": {"from": _iso(times.train_to), "to": _iso(times.aside_to)},
            "weights_moved_until": _iso(times.seen_to),
            "updates": bundle.number,
            "days": round((learned_to - times.train_from) / DAY_S, 2),
        },
        "experts": [
            {"kind": one.kind, "level": one.level, "weight": weight, "error_kept_aside": one.known}
            for one, weight in zip(bundle.experts, weights, strict=True)
        ],
        "test_errors": {}
        if result is None
        else {name: {"mae": one.mae, "rmse": one.rmse} for name, one in result.test.items()},
        "reuse_level": None if result is None else result.level,
        "band": None
        if result is None
        else {"level": result.band_level, "coverage": result.band_coverage},
        "grant": _grant(party),
        "leakage": _leakage(party, view),
        "deepcity": __version__,
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def card_json(card: dict[str, Any]) -> str:
    """As a file; a number that is not known is null."""
    return json.dumps(_finite(card), indent=1, ensure_ascii=False) + "\n"


def card_markdown(card: dict[str, Any]) -> str:
    """As a page."""
    learned, unit = card["learned_from"], card["unit"]
    lines = [
        f"# Model card: {card['service']} of {card['party']}",
        "",
        f"Forecasts `{card['field']}` ({unit}) at {card['places']} places, "
        f"{card['horizon_steps']} steps of {card['step_minutes']:g} minutes ahead, from "
        f"{card['history_steps']} steps and {card['history_days']} days before.",
        "",
        "## What it learned from",
        "",
        f"- rows from {learned['rows']['from']} to {learned['rows']['to']} "
        f"({learned['days']:g} days)",
        f"- kept aside, never learned from: {learned['kept_aside']['from']} to "
        f"{learned['kept_aside']['to']}",
        f"- weights moved with truths until {learned['weights_moved_until']}; "
        f"{learned['updates']} updates since the run",
        "",
        "## Errors over the run's test days",
        "",
        *(_errors(card["test_errors"], unit)),
        "",
        "## Experts",
        "",
        "| expert | reuse level | weight | error kept aside |",
        "| --- | --- | --- | --- |",
        *(
            f"| {one['kind']} | {one['level']} | {one['weight']:.3f} | "
            f"{one['error_kept_aside']:.4g} {unit} |"
            for one in card["experts"]
        ),
        "",
        "## What may leave",
        "",
        f"- grant: {_grant_text(card['grant'])}",
        f"- reuse level chosen: {_known(card['reuse_level'])}",
        f"- leakage of layers: {_leakage_text(card['leakage'])}",
        "",
        f"deepcity {card['deepcity']}, {card['made']}",
    ]
    return "\n".join(lines) + "\n"


def _errors(errors: dict[str, dict[str, float]], unit: str) -> list[str]:
    if not errors:
        return ["Not known: the site's result.json is not in this folder."]
    rows = [f"| {name} | {one['mae']:.4g} | {one['rmse']:.4g} |" for name, one in errors.items()]
    return [f"| method | MAE, {unit} | RMSE, {unit} |", "| --- | --- | --- |", *rows]


def _leakage(party: RunParty, view: OpenBundle) -> dict[str, float] | str:
    """Layer -> R² of the best attack on it that knew no true pairs, by an audit of this model."""
    own = [one for one in audits_of_run(party.folder) if _is_of_network(one.subject, party)]
    if not own:
        return NOT_MEASURED
    model = model_digest(view, deepest_network(view)[1].learner.network)
    found: dict[str, float] = {}
    for leak in (leak for one in own if one.subject.model == model for leak in one.windows):
        if not leak.known:
            found[leak.layer] = max(found.get(leak.layer, 0.0), leak.r2)
    return found or NOT_MEASURED


def _is_of_network(subject: AuditSubject, party: RunParty) -> bool:
    """Whether a party's own network was audited, and no encoder of the same name."""
    whose = subject.service, subject.party
    return subject.deep_width is None and whose == (party.service, party.party)


def _leakage_text(leakage: dict[str, float] | str) -> str:
    if isinstance(leakage, str):
        return f"{leakage} (`deepcity audit` measures it)"
    return "R² of rebuilt records " + ", ".join(f"{name} {r2:.2f}" for name, r2 in leakage.items())


def _grant(party: RunParty) -> dict[str, Any] | None:
    """What the map lets the party share; None without a map."""
    if party.of_map is None:
        return None
    grant = party.of_map[0].settings.grant
    return {
        "level": grant.level_of(party.party),
        "stem": grant.stem_of(party.party),
        "truths": grant.truths_of(party.party),
    }


def _grant_text(grant: dict[str, Any] | None) -> str:
    if grant is None:
        return "not known without the map"
    return f"level {grant['level']}, stem {grant['stem']}, truths {grant['truths']}"


def _known(value: object) -> str:
    return "not known" if value is None else str(value)


def _result(party: RunParty) -> PartyResult | None:
    """The site's own results of the run, if they are in the folder."""
    own = party.folder
    if not (own / FOLDER).is_dir():
        own = site_folder(party.folder, party.party)
    try:
        found = read_results(Path(own / RESULT), SiteResults, "deepcity run")
    except CheckpointError:
        return None
    return found.services.get(party.service)


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124
