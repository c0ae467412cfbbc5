"""A city's policy, parsed once: grants, the city's own rules, and the decision on a release.

Cedar's answer counts only where it is Allow without any error: Cedar leaves out a rule that fails
while it is evaluated, so an Allow beside errors may stand only because a `forbid` was left out.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from math import isfinite
from typing import TYPE_CHECKING, Any

from deepcity.city.errors import ConfigError, GrantError
from deepcity.city.problem import Problem
from deepcity.privacy.policy.cedar_text import NAMESPACE, at_least, instant, permits
from deepcity.privacy.policy.refusal import Denial, refusals
from deepcity.privacy.policy.refusal_words import refusal_sentence
from deepcity.privacy.policy.release import Item, ReleaseAction, ReleaseGrant, ReleaseRequest

if TYPE_CHECKING:
    import cedarpy

_log = logging.getLogger(__name__)
MOST_RULES_BYTES = 1_000_000
"""Of a city's own rules; a hundred take 20 kB."""


_Key = tuple[str, Item, str, str]
"""Agency, item, service and purpose, which a request has exactly one of each."""


@dataclass(frozen=True)
class ReleaseDecision:
    """Whether a release is allowed.

    Attributes:
        reasons: why not; empty where it is.
        grants: names of the grants that allow it.
    """

    allowed: bool
    reasons: tuple[Denial, ...] = ()
    grants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A city's policy.

    Attributes:
        domains: agency -> its domain.
        rules: Cedar text of the city's own `forbid` rules.

    Raises:
        ConfigError: if the rules do not parse, do not fit the schema, or permit something.
    """

    city: str
    domains: Mapping[str, str]
    grants: tuple[ReleaseGrant, ...]
    rules: str = ""
    rules_file: str = "policy.cedar"
    _entities: Any = field(init=False, repr=False, compare=False)
    _agencies: frozenset[str] = field(init=False, repr=False, compare=False)
    _rules: Any = field(init=False, repr=False, compare=False)
    _sets: Mapping[_Key, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        import cedarpy

        check_rules(self.rules, self.rules_file)
        texts: defaultdict[_Key, str] = defaultdict(str)
        for grant in self.grants:
            key = grant.agency, grant.item, grant.service, grant.purpose
            texts[key] += permits(grant, self.city)
        # grants of another agency, item, service or purpose can match no request of these, so they
        # are left out: each costs some microseconds
        rules = cedarpy.PolicySet.from_str(self.rules)
        sets = {one: rules.with_added_str(text) for one, text in texts.items()}
        object.__setattr__(self, "_agencies", frozenset(one.agency for one in self.grants))
        object.__setattr__(self, "_rules", rules)
        object.__setattr__(self, "_sets", sets)
        object.__setattr__(self, "_entities", _entities(self.city, self.domains))

    def decide(self, request: ReleaseRequest) -> ReleaseDecision:
        """Whether a release is allowed to each of its recipients. Never raises: errors deny."""
        try:
            grants, against = self._evaluate(request)
        except Exception:  # whatever fails, nothing is released
            _log.warning("the policy of %s failed", self.city, exc_info=True)
            return ReleaseDecision(False, (Denial("failed"),))
        if grants and not against:
            return ReleaseDecision(True, grants=grants)
        found = refusals(self.grants, self.domains.get(request.agency), request)
        return ReleaseDecision(False, (*found, *against) or (Denial("denied"),))

    def check(self, request: ReleaseRequest) -> tuple[str, ...]:
        """Check that a release is allowed; returns the names of the grants that allow it.

        Raises:
            GrantError: with every reason and the next step.
        """
        decision = self.decide(request)
        if not decision.allowed:
            reasons = "; ".join(refusal_sentence(one).en for one in decision.reasons)
            raise GrantError(
                f"the policy of {self.city} denies {_what(request)} of {request.agency} for "
                f"{request.service}: {reasons}"
            )
        return decision.grants

    def _evaluate(self, request: ReleaseRequest) -> tuple[tuple[str, ...], tuple[Denial, ...]]:
        """Grants that allow it to every recipient, none unless all do; and rules that forbid it."""
        import cedarpy

        if not request.recipients or request.agency not in self._agencies:
            return (), ()
        key = request.agency, request.action.item, request.service, request.purpose
        policies = self._sets.get(key, self._rules)
        asked = [_cedar_request(self.city, request, city) for city in request.recipients]
        answers = cedarpy.is_authorized_batch(asked, policies, self._entities, release_schema())
        found = [_answer(one) for one in answers]
        against = dict.fromkeys(code for _, refused in found for code in refused)
        allowed = len(found) == len(asked) and all(grants for grants, _ in found)
        grants = dict.fromkeys(name for names, _ in found for name in names) if allowed else ()
        return tuple(grants), tuple(_refusal(*one) for one in against)


@cache
def release_schema() -> "cedarpy.Schema":
    """The schema, parsed once."""
    import cedarpy

    return cedarpy.Schema.from_str(schema_text())


def check_rules(rules: str, file: str) -> None:
    """Check a city's own rules: Cedar that fits the schema, and forbids only.

    Raises:
        ConfigError: with every problem of them.
    """
    import cedarpy

    if not rules:
        return
    if len(rules.encode("utf-8", "replace")) > MOST_RULES_BYTES:
        reason = f"over {MOST_RULES_BYTES:,} bytes"
        raise ConfigError([Problem(file, "rules", None, reason, "write fewer rules")])
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(rules))
        answer = cedarpy.validate_policies(rules, release_schema())
    except (ValueError, RecursionError) as error:
        reason = f"not Cedar: {' '.join(str(error).split())}"
        raise ConfigError(
            [Problem(file, "rules", None, reason, "correct the rule there")]
        ) from error
    problems = [_permitting(file, name) for name in _permits_of(parsed)]
    problems += [_unfit(file, str(one)) for one in answer.errors]
    if not problems and not answer.validation_passed:
        problems.append(_unfit(file, "it was not validated"))
    if problems:
        raise ConfigError(problems)


def _permits_of(parsed: Mapping[str, Any]) -> list[str]:
    """Names of the policies that do more than forbid; templates forbid nothing by themselves."""
    found = [name for name, one in parsed["staticPolicies"].items() if one["effect"] != "forbid"]
    return [*found, *parsed["templates"], *(str(one) for one in parsed["templateLinks"])]


def _permitting(file: str, name: str) -> Problem:
    reason = "it is no forbid rule, and what is permitted stands in grants"
    return Problem(file, name, None, reason, "write a [[grant]] in the policy file instead")


def _unfit(file: str, text: str) -> Problem:
    reason = f"it does not fit the schema: {' '.join(text.split())}"
    right = "use what `deepcity policy schema` prints"
    return Problem(file, "rules", None, reason, right)


@cache
def schema_text() -> str:
    """The schema as its file has it."""
    source = resources.files(__package__).joinpath("release.cedarschema")
    return source.read_text(encoding="utf-8")


def _entities(city: str, domains: Mapping[str, str]) -> "cedarpy.Entities":
    """The city's agencies; other cities are names alone."""
    import cedarpy

    found: list[dict[str, object]] = [
        {
            "uid": _uid("Agency", f"{city}/{agency}"),
            "attrs": {"domain": domain},
            "parents": [_uid("City", city)],
        }
        for agency, domain in domains.items()
    ]
    return cedarpy.Entities.from_json_str(json.dumps(found), release_schema())


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": f"{NAMESPACE}::{kind}", "id": name}


def _cedar_request(city: str, request: ReleaseRequest, recipient: str) -> dict[str, object]:
    measured = request.measured
    context: dict[str, object] = {
        "service": request.service,
        "purpose": request.purpose,
        "lowest": request.lowest,
        "highest": request.highest,
        "now": _extension("datetime", instant(request.now)),
    }
    if measured.in_training:
        context["in_training"] = True
    for name, value in (
        ("stream_r2", measured.stream_r2),
        ("epsilon", measured.epsilon),
        ("stream_above_forecast", measured.stream_above_forecast),
    ):
        if value is not None and isfinite(value):
            context[name] = _extension("decimal", at_least(value))
    for name, count in (
        ("cadence_s", measured.cadence_s),
        ("joined", measured.joined),
        ("least_count", measured.least_count),
    ):
        if count is not None:
            context[name] = count
    return {
        "principal": _uid("City", recipient),
        "action": _uid("Action", request.action),
        "resource": _uid("Agency", f"{city}/{request.agency}"),
        "context": context,
    }


def _extension(function: str, argument: str) -> dict[str, object]:
    return {"__extn": {"fn": function, "arg": argument}}


def _answer(answer: "cedarpy.AuthzResult") -> tuple[list[str], list[tuple[str, str]]]:
    """Grants that allow, or codes of what is against it with the rule's name."""
    import cedarpy

    diagnostics = answer.diagnostics
    annotated = diagnostics.id_annotations_by_reason
    names = [annotated.get(one) or one for one in diagnostics.reasons]
    if diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        _log.warning("a policy failed: %s", diagnostics.errors)
        return [], [("failed", "")]
    if answer.decision is cedarpy.Decision.Allow:
        return names, []
    return [], [("forbidden", name) for name in names]


def _refusal(code: str, rule: str) -> Denial:
    return Denial(code, names={"rule": rule} if rule else {})


def _what(request: ReleaseRequest) -> str:
    return {
        ReleaseAction.RELEASE_LAYERS: "the release of layers",
        ReleaseAction.RELEASE_DEEP_DATA: "the release of deep data",
        ReleaseAction.READ_DEEP_DATA: "the reading of deep data",
        ReleaseAction.RELEASE_COUNTS: "the release of counts",
        ReleaseAction.RELEASE_SIGHTINGS: "the release of sightings",
    }[request.action]
