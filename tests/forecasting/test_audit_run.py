"""`deepcity audit` on a run: its own rows alone, kept after each step, and clear refusals."""

import json
from dataclasses import replace
from shutil import copy, copytree

import pytest
from little_map import LittleMap, flows, service
from processes import deepcity

from deepcity.audit import audit_file, steps
from deepcity.audit.audit_file import audits_of_run, read_audits
from deepcity.audit.effort import FAST
from deepcity.audit.gradients import audit_updates
from deepcity.audit.window import audit_layer
from deepcity.city.errors import CheckpointError, ConfigError
from deepcity.forecasting import audit_network
from deepcity.forecasting.audit_run import AuditRequest, audit_folder
from deepcity.forecasting.model_card import NOT_MEASURED, card_markdown, model_card
from deepcity.forecasting.run_parties import find_parties
from deepcity.maps.city_map import load_map
from deepcity.runs.run import load_results, run_map
from deepcity.web.report.page import render

PARTY = "east/north"
LATER = ("window/h5", "window/forecast")
SIZES = {"training_rows": 200, "attacked_rows": 160, "mlp_steps": 8, "mlp_width": 8}
SMALL = replace(FAST, **SIZES, updates=1, matching_steps=2, shadows=4)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    little = LittleMap(folder)
    little.party(PARTY, flows(days=30, places=2)).party("west/office", flows(days=30, seed=1))
    path = little.write(service(levels=(), rounds=1, local_steps=2, refit_steps=1))
    run_map(load_map(path), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """Attacks of a second instead of half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_network, "effort_of", lambda _name: SMALL)
        patch.setattr(audit_layer, "STREAMS", (1, 2))
        patch.setattr(audit_updates, "_RATIOS", 2)
        patch.setattr(audit_updates, "_GROUPS", 10)
        yield


@pytest.fixture(scope="module")
def audited(run_folder):
    return audit_folder(run_folder, AuditRequest(parties=(PARTY,))).audits[0]


def test_every_layer_and_the_forecast_are_attacked(audited, run_folder):
    layers = dict.fromkeys(leak.layer for leak in audited.windows)
    assert [*layers] == ["stem", "h1", "h2", "h3", "h4", "h5", "forecast"]
    assert max(leak.r2 for leak in audited.windows) > 0.9  # six inputs and a stem of 64
    assert audits_of_run(run_folder) == [audited]


def test_networks_are_trained_without_a_half_of_the_days(audited):
    found = {(leak.unit, leak.attack): leak for leak in audited.membership}
    assert {*found} == {("day", "lira"), ("day", "rmia")}  # two places are too few to hide some
    for leak in found.values():
        assert (leak.shadows, leak.others) == (4, 2 * leak.units)
        assert 0.1 < leak.area < 0.9  # networks of two steps remember nothing


def test_results_hold_no_record(audited):
    """Codes and numbers: every float is a share or an R²."""
    floats = [leak.r2 for leak in audited.windows]
    floats += [leak.r2 for leak in audited.gradients]
    floats += [one for leak in audited.windows for one in leak.r2_by_input]
    assert max(floats) <= 1.0
    assert json.loads(audited.model_dump_json())["subject"]["party"] == PARTY


def test_the_same_model_is_not_attacked_again_and_a_stopped_audit_goes_on(
    audited, run_folder, monkeypatch
):
    attacked = []
    monkeypatch.setattr(steps, "audit_layer", lambda _v, layer, *_: attacked.append(layer) or [])
    again = audit_folder(run_folder, AuditRequest(parties=(PARTY,)))
    assert (again.audits[0], attacked) == (audited, [])
    site = run_folder / "sites" / "east.north"
    part = audited.model_copy(
        update={
            "done": tuple(one for one in audited.done if one not in LATER),
            "windows": tuple(leak for leak in audited.windows if leak.layer < "h5"),
        }
    )
    audit_file.save_audit(site, PARTY, part)
    audit_folder(run_folder, AuditRequest(parties=(PARTY,)))
    assert attacked == ["h5", "forecast"]  # steps on updates are done in neither
    audit_file.save_audit(site, PARTY, audited)


def test_a_file_that_is_cut_off_is_made_again(audited, run_folder):
    path = run_folder / "sites" / "east.north" / audit_file.NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert read_audits(path.parent, PARTY).audits == ()
    path.write_bytes(whole)


def test_the_report_shows_table_and_chart_in_both_languages(audited, run_folder):
    page = render(load_results(run_folder), [audited])
    assert "What the layers reveal" in page
    assert "층이 드러내는 것" in page
    assert page.count("forecast alone") >= 1
    assert "What one update reveals" in page
    assert "갱신 한 번이 드러내는 것" in page
    assert "Can it be told what a network learned from?" in page
    assert "신경망이 무엇을 학습했는지" in page
    assert 'id="leakage"' not in render(load_results(run_folder))


def test_a_model_card_holds_what_the_audit_measured(audited, run_folder):
    (party,) = [one for one in find_parties(run_folder) if one.party == PARTY]
    view = party.attach(party.open(), party.panel()).open_at()
    card = model_card(party, view)
    known = [one.r2 for one in audited.windows if one.layer == "h1" and not one.known]
    assert card["leakage"]["h1"] == max(known)
    assert "R² of rebuilt records" in card_markdown(card)
    other = audited.subject.model_copy(update={"model": "of an earlier one"})
    audit_file.save_audit(party.site, PARTY, audited.model_copy(update={"subject": other}))
    assert model_card(party, view)["leakage"] == NOT_MEASURED
    audit_file.save_audit(party.site, PARTY, audited)


def test_names_that_are_unknown_are_refused_at_once(run_folder):
    with pytest.raises(ConfigError) as refused:
        audit_folder(run_folder, AuditRequest(service="watr", parties=("east/nord",)))
    assert len(refused.value.problems) == 2
    with pytest.raises(CheckpointError, match="this is a folder, not the folder of a run"):
        audit_folder(run_folder / "coordinator", AuditRequest())


def test_a_site_carried_elsewhere_is_audited_beside_its_own_rows(run_folder, audited, tmp_path):
    """Neither the map nor any other party's records are there."""
    copytree(run_folder / "sites" / "east.north", tmp_path / "site")
    for name in ("east.toml", "east-north.csv"):
        copy(run_folder.parent / name, tmp_path)
    asked = AuditRequest(city_file=tmp_path / "east.toml")
    found = audit_folder(tmp_path / "site", asked)
    assert [one.subject.party for one in found.audits] == [PARTY]
    assert found.audits[0].subject.model == audited.subject.model


def test_the_command_goes_on_past_a_party_without_rows_and_says_where_they_are(run_folder, audited):
    rows = run_folder.parent / "west-office.csv"
    whole = rows.read_text()
    rows.write_text("".join(whole.splitlines(keepends=True)[:30]))
    ended = deepcity("audit", run_folder, "--language", "ko")
    rows.write_text(whole)
    assert ended.returncode == 1
    assert "예측만" in ended.stdout
    assert "west/office" in ended.stderr
    assert "참여 기관의 기록이 있는 곳" in ended.stderr
    own = deepcity("audit", run_folder, "--party", PARTY, "--json")
    assert own.returncode == 0, own.stderr
    assert json.loads(own.stdout)[0] == audited.model_dump(mode="json")
