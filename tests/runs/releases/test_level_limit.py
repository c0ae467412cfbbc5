"""How deep a party may share is asked of policy and audit beforehand; what set a level is told."""

import json

import pytest
from audited_site import audit, granting, release_of
from little_map import service, three

from deepcity.audit import layer_leakage
from deepcity.city.errors import ConfigError
from deepcity.maps.city_map import load_map
from deepcity.runs.releases.level_limit import LimitCause, level_limit
from deepcity.runs.run import run_map
from deepcity.store.run_folder import site_folder
from deepcity.web.report.notes import note

TEXT = service(
    levels=(), rounds=1, settings="automatic = true\npooled = false", grant='level = "limit"'
)
R2 = {"h1": 0.1, "h2": 0.3, "h3": 0.62, "h4": 0.2, "h5": 0.2, "forecast": 0.3}


def limit(path, site=None, granted=6, **how):
    return level_limit(release_of(path, site), granted, common_stem=how.get("stem", False))


def test_the_deepest_level_within_the_limit_may_be_shared(tmp_path):
    path, site = granting(tmp_path, "max_stream_r2 = 0.5"), tmp_path / "site"
    audit(site, R2)
    found = limit(path, site)
    assert (found.level, found.cause) == (2, LimitCause.LEAKAGE)
    assert (found.value, found.limit) == (0.62, 0.5)
    assert limit(path, site, granted=2) == limit(path, site, granted=2).__class__(2)


def test_what_was_not_measured_is_not_shared_where_there_is_a_limit(tmp_path):
    path, site = granting(tmp_path, "max_stream_r2 = 0.5"), tmp_path / "site"
    found = limit(path, site)
    assert (found.level, found.cause, found.limit) == (0, LimitCause.UNMEASURED, 0.5)
    audit(site, {"h1": 0.1, "h2": 0.2})
    assert (limit(path, site).level, limit(path, site).cause) == (2, LimitCause.UNMEASURED)
    assert limit(granting(tmp_path)).level == 6  # without a limit nothing need be measured


def test_what_no_grant_covers_is_not_shared(tmp_path):
    path = granting(tmp_path, highest="h3")
    assert (limit(path).level, limit(path).cause) == (3, LimitCause.POLICY)
    assert "higher than h3" in limit(path).reasons[0].en
    assert limit(path, stem=True).level == 0
    ended = limit(granting(tmp_path, until="1999-12-31"))
    assert (ended.level, ended.cause) == (0, LimitCause.POLICY)


def test_without_a_policy_the_map_alone_bounds(tmp_path):
    assert level_limit(None, 4, common_stem=True).level == 4


def test_as_deep_as_the_limit_allows_needs_a_policy_of_every_member(tmp_path):
    path = three(tmp_path).write(TEXT)
    with pytest.raises(ConfigError, match="no policy limits how deep east/north, east/south"):
        load_map(path)


def test_the_setting_is_level_6_for_what_a_run_depends_on(tmp_path):
    path = granting(tmp_path, cities=("east", "west"), text=TEXT)
    limited = load_map(path)
    assert limited.services[0].settings.grant.by_limit
    assert limited.services[0].settings.grant.level == 6
    path.write_text(path.read_text().replace('"limit"', "6"))
    assert load_map(path).fingerprint() == limited.fingerprint()
    assert not load_map(path).services[0].settings.grant.by_limit


def test_a_run_offers_what_is_allowed_and_tells_what_set_each_level(tmp_path):
    """North was measured and is over the limit at h3, south was not, west's grant ends at h4."""
    path = granting(tmp_path, "max_stream_r2 = 0.5", cities=("east", "west"), west="h4", text=TEXT)
    folder = tmp_path / "run"
    audit(site_folder(folder, "east/north"), R2, party="east/north")
    results = run_map(load_map(path), folder)
    joined = json.loads((folder / "rounds.json").read_text())["water.level_6"]
    # h1 and h2 are all that two parties may share
    assert joined["levels"] == {"east/north": 2, "east/south": 0, "west/office": 2}
    assert "h1" not in joined["sent"]["east/south"]
    assert {"h1", "h2"} <= set(joined["sent"]["east/north"])
    assert "h3" not in joined["sent"]["east/north"]
    north, south, west = results.services[0].parties
    assert south.level == 0
    assert south.level_bound.code == "level_by_unmeasured"
    assert "deepcity audit RUN" in note(south.level_bound).en
    assert north.level_bound.code in {"level_by_leakage", "level_by_accuracy"}
    assert west.level_bound.code in {"level_by_others", "level_by_accuracy"}
    assert not [one for one in results.services[0].notes if one.code == "left_out"]


def test_an_audit_file_is_read_once_for_each_of_its_states(tmp_path, monkeypatch):
    read, calls = layer_leakage.read_audits, []
    monkeypatch.setattr(
        layer_leakage, "read_audits", lambda *args: calls.append(args) or read(*args)
    )
    path, site = granting(tmp_path, "max_stream_r2 = 0.9"), tmp_path / "site"
    audit(site, R2)
    release = release_of(path, site)
    for _ in range(5):
        release.check(["h1", "h2"])
    assert len(calls) == 1
    audit(site, {**R2, "h1": 0.95})
    assert level_limit(release, 6, common_stem=False).level == 0
    assert len(calls) == 2
