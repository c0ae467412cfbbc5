"""A city's policy stands before every answer with layers: a denial costs that party its round."""

import json

import pytest
from little_map import three

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import AuditSubject, LearnedFrom, PartyAudit, WindowLeak
from deepcity.city.errors import ConfigError, GrantError
from deepcity.maps.city_map import load_map
from deepcity.runs.releases.layer_release import layer_release
from deepcity.runs.run import run_map

GRANT = """
[[grant]]
name = "{agency}-layers"
agency = "{agency}"
item = "layers"
grantee = ["east", "west"]
domain = "resources"
service = "water"
purpose = "water"
lowest = "h1"
highest = "head"
until = {until}
{more}
"""


def _grants(until="2999-12-31", more="", agencies=("north", "south")):
    return "".join(GRANT.format(agency=one, until=until, more=more) for one in agencies)


def _map(folder, grants):
    """Three parties; the city "east" of two of them names a policy."""
    path = three(folder).write()
    city = folder / "east.toml"
    city.write_text('policy = "policy.toml"\n' + city.read_text(), encoding="utf-8")
    (folder / "policy.toml").write_text(grants, encoding="utf-8")
    return path


def _release(path, folder=None):
    service = load_map(path).services[0]
    member = next(one for one in service.members if one.name == "east/north")
    return layer_release(service, member, folder)


def _audit(folder, r2_by_layer, stream=24):
    folder.mkdir(exist_ok=True)
    subject = AuditSubject(
        service="water",
        party="east/north",
        model="0" * 64,
        level=0,
        deep_width=None,
        field="flow",
        window_steps=6,
        step_s=3600,
    )
    leaks = [
        WindowLeak(
            layer=layer,
            stream=stream,
            learned_from=LearnedFrom.PERIOD,
            known=known,
            attacker="ridge",
            r2=r2 - 0.1 * (known == 0),
            r2_spread=None,
            r2_by_input=(),
            identified=0,
            gallery=1,
            windows=1,
        )
        for layer, r2 in r2_by_layer.items()
        for known in (0.0, 0.5)
    ]
    found = PartyAudit(
        version=VERSION, subject=subject, effort=EffortName.FAST, seed=0, windows=tuple(leaks)
    )
    save_audit(folder, "east/north", found)


def test_what_is_granted_may_leave_and_nothing_else(tmp_path):
    release = _release(_map(tmp_path, _grants()))
    assert release.recipients == ("east", "west")
    release.check(["h1", "h2", "head"])
    with pytest.raises(GrantError, match="lower than h1"):
        release.check(["stem", "h1"])


def test_a_service_states_its_purpose(tmp_path):
    path = _map(tmp_path, _grants())
    text = path.read_text()
    before = load_map(path).fingerprint()
    path.write_text(text.replace("[service.grant]", '[service.grant]\npurpose = "billing"'))
    with pytest.raises(GrantError, match="purpose 'water', not 'billing'"):
        _release(path).check(["h1"])
    assert load_map(path).fingerprint() == before  # it changes no figure, so a run goes on


def test_a_party_of_a_city_without_policy_is_asked_for_none(tmp_path):
    service = load_map(_map(tmp_path, "")).services[0]
    member = next(one for one in service.members if one.name == "west/office")
    assert layer_release(service, member, None) is None


def test_the_leakage_is_that_of_the_site_s_own_audit(tmp_path):
    path, site = _map(tmp_path, _grants(more="max_stream_r2 = 0.5")), tmp_path / "site"
    release = _release(path, site)
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h1"])
    _audit(site, {"h1": 0.6, "h2": 0.4, "forecast": 0.5}, stream=1)
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h2"])  # one release is no stream
    _audit(site, {"h1": 0.6, "h2": 0.4, "forecast": 0.5})
    release.check(["h2", "head"])
    with pytest.raises(GrantError, match=r"R² 0\.6 is over the 0\.5"):
        release.check(["h1", "h2"])  # the best attacker counts, on the leakiest layer
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h2", "h3"])
    for order in (("h2", "h3"), ("h3", "h2")):
        _audit(site, {one: {"h2": 0.1, "h3": float("nan")}[one] for one in order})
        with pytest.raises(GrantError, match="was not measured"):
            release.check(["h2", "h3"])


def test_sums_of_fewer_than_granted_do_not_leave(tmp_path):
    path = _map(tmp_path, _grants(more="least_k = 3"))
    with pytest.raises(GrantError, match="updates of 1 are joined"):
        _release(path).check(["h1"])
    path.write_text(path.read_text() + '[service.strategy]\naggregation = "secure"\n')
    _release(path).check(["h1"])


def test_a_map_with_a_policy_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such agency"):
        load_map(_map(tmp_path, _grants(agencies=("nobody",))))


def test_a_policy_may_come_to_a_run(tmp_path):
    path = three(tmp_path).write()
    before = load_map(path).fingerprint()
    assert load_map(_map(tmp_path, _grants())).fingerprint() == before


def test_a_denied_party_s_layers_are_in_no_round_and_the_reason_is_recorded(tmp_path):
    """North's grant has ended: from the first round on its layers are not used; others go on."""
    grants = _grants(agencies=("south",)) + _grants("1999-12-31", agencies=("north",))
    path, folder = _map(tmp_path, grants), tmp_path / "run"
    results = run_map(load_map(path), folder)
    note = next(one for one in results.services[0].notes if one.code == "left_out")
    assert note.names["party"] == "east/north"
    assert "grant north-layers held until" in note.names["reason"]
    joined = json.loads((folder / "rounds.json").read_text())["water.level_6"]
    assert "h1" not in joined["sent"]["east/north"]
    for other in ("east/south", "west/office"):
        assert joined["sent"][other]["h1"] > 0
