"""Decisions: what grants cover is allowed, and nothing else, whatever is asked or goes wrong."""

import json
from dataclasses import replace
from pathlib import Path

import cedarpy
import pytest
from grants_of_a_town import DOMAINS, GRANT, NOW, REQUEST, grants, requests
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, GrantError
from deepcity.privacy.policy.cedar_text import permits, quoted
from deepcity.privacy.policy.policy import Policy, release_schema
from deepcity.privacy.policy.refusal import uncovered
from deepcity.privacy.policy.refusal_words import REFUSAL_WORDS, refusal_sentence
from deepcity.privacy.policy.release import Item, ReleaseAction, ReleaseMeasures, depths_of


def _policy(*granted, rules=""):
    return Policy("town", DOMAINS, tuple(granted), rules)


def _codes(policy, request):
    decision = policy.decide(request)
    assert not decision.allowed
    return {one.code for one in decision.reasons}


def test_what_a_grant_covers_is_allowed_and_names_the_grant():
    decision = _policy(GRANT).decide(REQUEST)
    assert decision.allowed
    assert decision.grants == ("water-layers",)
    _policy(GRANT).check(REQUEST)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"now": NOW + 1}, "expired"),
        ({"purpose": "advertising"}, "other_purpose"),
        ({"service": "other"}, "other_service"),
        ({"recipients": ("north", "west")}, "other_recipient"),
        ({"lowest": 0}, "too_low"),
        ({"highest": 6}, "too_high"),
        ({"measured": ReleaseMeasures()}, "leakage_unknown"),
        ({"measured": ReleaseMeasures(stream_r2=0.4001)}, "leakage_over"),
        ({"measured": ReleaseMeasures(stream_r2=float("nan"))}, "leakage_unknown"),
        ({"action": ReleaseAction.RELEASE_DEEP_DATA}, "no_grant"),
        ({"agency": "metro"}, "no_grant"),
        ({"agency": "nobody"}, "no_agency"),
        ({"recipients": ()}, "denied"),
    ],
)
def test_each_condition_denies_by_itself_and_is_named(change, code):
    assert _codes(_policy(GRANT), replace(REQUEST, **change)) == {code}


@pytest.mark.parametrize(
    ("limits", "measures", "code"),
    [
        ({"least_k": 3}, {}, "joined_unknown"),
        ({"least_k": 3}, {"joined": 2}, "joined_under"),
        ({"epsilon": 8.0}, {}, "epsilon_unknown"),
        ({"epsilon": 8.0}, {"epsilon": 8.1}, "epsilon_over"),
        ({"cadence_s": 60}, {}, "cadence_unknown"),
        ({"cadence_s": 60}, {"cadence_s": 59}, "cadence_under"),
        ({"revoked_at": NOW - 9}, {}, "revoked"),
        ({"max_above_forecast": 0.05}, {}, "forecast_unknown"),
        ({"max_above_forecast": 0.05}, {"stream_above_forecast": 0.06}, "forecast_over"),
    ],
)
def test_other_limits_deny_too(limits, measures, code):
    request = replace(REQUEST, measured=ReleaseMeasures(stream_r2=0.1, **measures))
    assert _codes(_policy(replace(GRANT, **limits)), request) == {code}


@pytest.mark.parametrize(
    ("measures", "codes"),
    [
        ({"least_count": 10, "epsilon": 2.0}, set()),
        ({"least_count": 9, "epsilon": 2.0}, {"least_count_under"}),
        ({"epsilon": 2.1, "least_count": 10}, {"epsilon_over"}),
        ({"joined": 10}, {"least_count_unknown", "epsilon_unknown"}),
    ],
)
def test_counts_leave_within_k_and_epsilon_alone(measures, codes):
    limits = {"item": Item.COUNTS, "lowest": 0, "highest": 0, "max_stream_r2": None}
    policy = _policy(replace(GRANT, **limits, least_k=10, epsilon=2.0))
    asked = {"action": ReleaseAction.RELEASE_COUNTS, "lowest": 0, "highest": 0}
    request = replace(REQUEST, **asked, measured=ReleaseMeasures(**measures))
    assert policy.decide(request).allowed == (not codes)
    if codes:
        assert _codes(policy, request) == codes
    assert _codes(policy, replace(request, action=ReleaseAction.RELEASE_LAYERS)) == {"no_grant"}


def test_sightings_leave_by_a_grant_of_them_alone():
    of_none = {"lowest": 0, "highest": 0, "max_stream_r2": None}
    asked = {"action": ReleaseAction.RELEASE_SIGHTINGS, "lowest": 0, "highest": 0}
    request = replace(REQUEST, **asked, measured=ReleaseMeasures())
    assert _policy(replace(GRANT, item=Item.SIGHTINGS, **of_none)).decide(request).allowed
    for item in (Item.COUNTS, Item.LAYERS, Item.DEEP_DATA):
        assert _codes(_policy(replace(GRANT, item=item, **of_none)), request) == {"no_grant"}


def test_a_city_refuses_a_purpose_for_good():
    """Whatever grants are written later, a rule of the city's own counts before them."""
    rule = (
        '@id("no-wanted-persons") forbid (principal, action == DeepCity::Action::'
        '"releaseSightings", resource) when { context.service == "' + GRANT.service + '" };'
    )
    grant = replace(GRANT, item=Item.SIGHTINGS, lowest=0, highest=0, max_stream_r2=None)
    asked = {"action": ReleaseAction.RELEASE_SIGHTINGS, "lowest": 0, "highest": 0}
    request = replace(REQUEST, **asked, measured=ReleaseMeasures())
    assert _policy(grant).decide(request).allowed
    assert _codes(_policy(grant, rules=rule), request) == {"forbidden"}


def test_an_encoder_that_still_learns_is_not_compared_with_its_forecast():
    policy = _policy(replace(GRANT, max_stream_r2=None, max_above_forecast=0.05))
    assert policy.decide(replace(REQUEST, measured=ReleaseMeasures(in_training=True))).allowed
    above = ReleaseMeasures(stream_r2=0.41, stream_above_forecast=0.05)
    assert policy.decide(replace(REQUEST, measured=above)).allowed
    above = ReleaseMeasures(stream_r2=0.41, stream_above_forecast=0.07)
    with pytest.raises(GrantError, match=r"leaks R² 0\.41, 0\.07 more than the 0\.34 .* 0\.05 of"):
        policy.check(replace(REQUEST, measured=above))


def test_a_limit_of_many_digits_is_rounded_towards_denial():
    """Cedar's decimals have four digits: the limit is cut, what was measured is rounded up."""
    policy = _policy(replace(GRANT, max_stream_r2=0.40009))
    measured = ReleaseMeasures(stream_r2=0.40001)
    assert _codes(policy, replace(REQUEST, measured=measured)) == {"leakage_over"}


@given(st.lists(grants, max_size=3), requests)
@settings(max_examples=200, deadline=None)
def test_cedar_and_the_named_reasons_agree(granted, request):
    """Two evaluations, one by Cedar and one in Python for people, never differ."""
    policy = _policy(*granted)
    own = [
        one for one in granted if (one.agency, one.item) == (request.agency, request.action.item)
    ]
    domain = DOMAINS.get(request.agency)
    covered = bool(request.recipients) and all(
        any(not uncovered(one, domain, replace(request, recipients=(city,))) for one in own)
        for city in request.recipients
    )
    decision = policy.decide(request)
    assert decision.allowed == covered
    assert bool(decision.reasons) != covered


@given(st.text(), st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_no_text_of_a_file_becomes_a_policy(purpose, service, agency):
    """Whatever stands in a grant, it gives one permit of the schema, with these very texts."""
    try:
        quoted(purpose + service + agency)
    except ValueError:
        return  # a lone surrogate, which no UTF-8 file holds
    text = permits(replace(GRANT, purpose=purpose, service=service, agency=agency), "town")
    assert cedarpy.validate_policies(text, release_schema()).validation_passed
    policies = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    assert [one["effect"] for one in policies.values()] == ["permit"]
    request = replace(REQUEST, purpose=purpose, service=service, agency=agency)
    granted = replace(GRANT, purpose=purpose, service=service, agency=agency)
    policy = Policy("town", {agency: "resources"}, (granted,))
    assert policy.decide(request).allowed
    assert not policy.decide(replace(request, purpose=f"{purpose} ")).allowed


def test_deep_data_are_read_by_their_grant_until_it_is_revoked():
    granted = replace(GRANT, item=Item.DEEP_DATA, lowest=3, cadence_s=60)
    request = replace(REQUEST, action=ReleaseAction.READ_DEEP_DATA, lowest=3)
    request = replace(request, measured=ReleaseMeasures())
    assert _policy(granted).decide(request).allowed  # it was measured when it was released
    release = replace(request, action=ReleaseAction.RELEASE_DEEP_DATA)
    assert _codes(_policy(granted), release) == {"leakage_unknown", "cadence_unknown"}
    assert _codes(_policy(replace(granted, revoked_at=1)), request) == {"revoked"}


RULE = '@id("no-metro") forbid (principal == DeepCity::City::"south", action, resource);'


def test_a_rule_of_the_city_forbids_what_a_grant_allows():
    policy = _policy(GRANT, rules=f"{RULE} // and no more")
    assert policy.decide(REQUEST).allowed
    denied = policy.decide(replace(REQUEST, recipients=("north", "south")))
    assert [(one.code, dict(one.names)) for one in denied.reasons] == [
        ("forbidden", {"rule": "no-metro"})
    ]


@pytest.mark.parametrize(("hour", "allowed"), [(4, False), (5, True), (23, True)])
def test_the_rule_of_the_how_to_forbids_releases_at_night(hour, allowed):
    """Hours are those of UTC."""
    text = (Path(__file__).parents[3] / "docs/how-to/policy.md").read_text(encoding="utf-8")
    rule = text[text.index("@id(") : text.index("```", text.index("@id("))]
    at = replace(REQUEST, now=NOW - NOW % 86_400 + hour * 3_600)
    policy = _policy(replace(GRANT, until=at.now + 1), rules=rule)
    assert policy.decide(at).allowed == allowed


def test_a_rule_that_fails_denies():
    """Cedar leaves out a rule that fails, and answers Allow by the others."""
    rules = (
        "forbid (principal, action, resource) when { context.highest * 9223372036854775807 > 0 "
        '&& context.service == "never" };'
    )
    assert _codes(_policy(GRANT, rules=rules), REQUEST) == {"failed"}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("permit (principal, action, resource);", "no forbid rule"),
        (f"{RULE} permit (principal, action, resource);", "no forbid rule"),
        ("forbid (principal == ?principal, action, resource);", "no forbid rule"),
        ("forbid (principal, action, resource) when { context.colour == 1 };", "schema"),
        ("forbid (principal, action, resource) when { context.stream_r2 == 1 };", "schema"),
        ('forbid (principal == User::"x", action, resource);', "schema"),
        ("forbid (principal", "not Cedar"),
        ("\x00", "not Cedar"),
        ("forbid" * 200_000, "bytes"),
    ],
)
def test_rules_that_do_not_fit_are_refused(rules, words):
    with pytest.raises(ConfigError, match=words):
        _policy(GRANT, rules=rules)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_rules_are_refused_or_only_forbid(rules):
    try:
        policy = _policy(rules=rules)
    except (ConfigError, UnicodeEncodeError):
        return
    assert not policy.decide(REQUEST).allowed


@pytest.mark.parametrize(
    "change",
    [
        {"now": -(10**15)},
        {"now": 10**18},
        {"lowest": 2**80},
        {"service": None},
        {"purpose": "\ud800"},
        {"measured": ReleaseMeasures(stream_r2=-1e300)},
        {"measured": None},
        {"agency": []},
        {"recipients": (None,)},
    ],
)
def test_what_cannot_be_evaluated_is_denied(change):
    assert not _policy(GRANT).decide(replace(REQUEST, **change)).allowed


def test_a_refusal_says_why_and_what_to_do():
    with pytest.raises(GrantError) as caught:
        _policy(GRANT).check(replace(REQUEST, purpose="advertising", now=NOW + 86_400))
    for needed in ("'advertising'", "held until 2027-01-15", "renew", "release of layers of water"):
        assert needed in str(caught.value)


@given(st.lists(grants, max_size=3), requests)
@settings(max_examples=200, deadline=None)
def test_every_reason_has_a_sentence_in_both_languages(granted, request):
    for reason in _policy(*granted).decide(request).reasons:
        text = refusal_sentence(reason)
        assert text.en != text.ko
        assert "{" not in text.en + text.ko
        assert reason.code in REFUSAL_WORDS


def test_depths_of_layers():
    assert depths_of(["h3", "stem", "head"]) == (0, 6)
    for names in ([], ["h6"], ["h1", ""]):
        with pytest.raises(ValueError, match="not a list of"):
            depths_of(names)
