"""A city's policy stands before every answer with layers: a denial costs that party its round."""

import json
from dataclasses import replace

import pytest
from audited_site import GRANT, audit, granting, release_of
from little_map import three

from deepcity.city.errors import ConfigError, GrantError
from deepcity.maps.city_map import load_map
from deepcity.parties.releases.layer_release import LayerRelease, layer_release
from deepcity.runs.run import run_map
from deepcity.web.report.notes import note


def _map(folder, more="", agencies=None, until="2999-12-31"):
    """Three parties; the city "east" of two of them names a policy."""
    path = granting(folder, more, until=until)
    if agencies is not None:
        found = "".join(
            GRANT.format(agency=one, until="2999-12-31", more="", highest="head")
            for one in agencies
        )
        (folder / "east.policy.toml").write_text(found, encoding="utf-8")
    return path


def test_what_is_granted_may_leave_and_nothing_else(tmp_path):
    release = release_of(_map(tmp_path))
    assert release.recipients == ("east", "west")
    release.check(["h1", "h2", "head"])
    with pytest.raises(GrantError, match="lower than h1"):
        release.check(["stem", "h1"])


def test_a_service_states_its_purpose(tmp_path):
    path = _map(tmp_path)
    text = path.read_text()
    before = load_map(path).fingerprint()
    path.write_text(text.replace("[service.grant]", '[service.grant]\npurpose = "billing"'))
    with pytest.raises(GrantError, match="purpose 'water', not 'billing'"):
        release_of(path).check(["h1"])
    assert load_map(path).fingerprint() == before  # it changes no figure, so a run goes on


def test_a_party_of_a_city_without_policy_is_asked_for_none(tmp_path):
    service = load_map(_map(tmp_path)).services[0]
    member = next(one for one in service.members if one.name == "west/office")
    assert layer_release(service, member, None) is None


def test_the_leakage_is_that_of_the_site_s_own_audit(tmp_path):
    path, site = _map(tmp_path, "max_stream_r2 = 0.5"), tmp_path / "site"
    release = release_of(path, site)
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h1"])
    audit(site, {"h1": 0.6, "h2": 0.4, "forecast": 0.5}, stream=1)
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h2"])  # one release is no stream
    audit(site, {"h1": 0.6, "h2": 0.4, "forecast": 0.5})
    release.check(["h2", "head"])
    with pytest.raises(GrantError, match=r"R² 0\.6 is over the 0\.5"):
        release.check(["h1", "h2"])  # the best attacker counts, on the leakiest layer
    with pytest.raises(GrantError, match="was not measured"):
        release.check(["h2", "h3"])
    for order in (("h2", "h3"), ("h3", "h2")):
        audit(site, {one: {"h2": 0.1, "h3": float("nan")}[one] for one in order})
        with pytest.raises(GrantError, match="was not measured"):
            release.check(["h2", "h3"])


def test_sums_of_fewer_than_granted_do_not_leave(tmp_path):
    path = _map(tmp_path, "least_k = 3")
    with pytest.raises(GrantError, match="updates of 1 are joined"):
        release_of(path).check(["h1"])
    path.write_text(path.read_text() + '[service.strategy]\naggregation = "secure"\n')
    release_of(path).check(["h1"])
    with pytest.raises(GrantError, match="updates of 1 are joined"):  # encoders leave one by one
        replace(release_of(path), encoder=True).check(["h1"])


def test_a_map_with_a_policy_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such agency"):
        load_map(_map(tmp_path, agencies=("nobody",)))


def test_a_policy_may_come_to_a_run(tmp_path):
    path = three(tmp_path).write()
    before = load_map(path).fingerprint()
    assert load_map(_map(tmp_path)).fingerprint() == before


def test_a_denied_party_s_layers_are_in_no_round_and_the_reason_is_recorded(tmp_path):
    """North has no grant: its layers are asked for by nobody, and the others go on."""
    path, folder = _map(tmp_path, agencies=("south",)), tmp_path / "run"
    results = run_map(load_map(path), folder)
    north = next(one for one in results.services[0].parties if one.name == "east/north")
    assert (north.level, north.level_bound.code) == (0, "level_by_policy")
    assert "north grants nothing of this kind" in note(north.level_bound).en
    assert "허가한 적이 없습니다" in note(north.level_bound).ko
    joined = json.loads((folder / "rounds.json").read_text())["water.level_6"]
    assert "h1" not in joined["sent"]["east/north"]
    for other in ("east/south", "west/office"):
        assert joined["sent"][other]["h1"] > 0


def test_a_grant_that_ends_while_a_run_lasts_costs_the_party_its_rounds(tmp_path):
    """What the offer was bounded by is asked again before each answer."""
    path, folder = _map(tmp_path), tmp_path / "run"
    policy, asked = tmp_path / "east.policy.toml", LayerRelease.check

    def revoking(self, layers):
        if self.agency == "north" and not (tmp_path / "east.policy.revoked.toml").exists():
            revoked = '[[revoked]]\ngrant = "north-layers"\nat = 0\n'
            policy.with_name("east.policy.revoked.toml").write_text(revoked)
        asked(self, layers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LayerRelease, "check", revoking)
        results = run_map(load_map(path), folder)
    left = next(one for one in results.services[0].notes if one.code == "left_out")
    assert left.names["party"] == "east/north"
    assert "north-layers was revoked" in left.names["reason"]
