"""What leaves an agency in vertical training: asked of its city's policy, and recorded before."""

import numpy as np
import pytest
from encoder_audits import save_encoder_audit
from little_vertical import deep_grant, layers_grant, name_policy, quick_map, released

from deepcity.exchange import inprocess
from deepcity.exchange.message import Message
from deepcity.exchange.trust.recorded_releases import tensors_digest
from deepcity.maps.city_map import load_map
from deepcity.runs.releases.review import review_ledgers
from deepcity.vertical import agency_party
from deepcity.vertical.run import run_vertical

MORE = 'pretrain_steps = 8\ncompare = ["one-shot", "per-batch"]'
SHARED = "pretrain_steps = 12\nreuse_level = 2"


@pytest.fixture
def carried(monkeypatch):
    """Activations and gradients of losses that went over the wire to the coordinator."""
    found = []
    carry = inprocess.InProcessExchange._carry

    def watched(self, message, request, sender, receiver):
        if receiver == self.name and isinstance(message, Message):
            found.extend(
                (request.verb, tensors_digest(tensors))
                for layer, tensors in message.layers.items()
                if layer in ("deep", "gradients", "h1", "h2", "stem")
            )
        return carry(self, message, request, sender, receiver)

    monkeypatch.setattr(inprocess.InProcessExchange, "_carry", watched)
    return found


def trained(folder, city_map):
    [service] = run_vertical(city_map, folder / "run").services
    return service.parties


def weather(folder, city="east"):
    return folder / "run" / "sites" / f"{city}.weather"


def test_what_the_application_received_is_what_was_recorded(tmp_path, carried):
    """One entry for each answer, in every mode; without a policy too."""
    [party] = trained(tmp_path, quick_map(tmp_path, more=MORE))
    entries = released(weather(tmp_path))
    assert party.failures == []
    assert [(one.verb, one.sha256) for one in entries] == carried
    assert {(one.layer, one.form.value) for one in entries} == {("h3", "deep-data")}
    assert {(one.party, one.receiver) for one in entries} == {("east/weather", "east/water")}
    assert {one.training for one in entries} == {f"water.vertical.run-{n}" for n in (1, 2, 3)}
    assert all(one.policy_grants is None and one.leakage is None for one in entries)
    blockwise = [one.round for one in entries if one.training.endswith("run-1")]
    assert blockwise == [0, 0, 1, 1, 2, 2, -1, -1]  # a block and an evaluation; the last spans
    assert sum(one.bytes for one in entries) < party.cost.bytes * len(party.costs) + sum(
        cost.bytes for cost in party.costs.values()
    )


def test_labels_that_stay_let_gradients_leave_and_they_are_recorded(tmp_path, carried):
    trained(tmp_path, quick_map(tmp_path, more="pretrain_steps = 4\nlabels_stay = true"))
    own = released(tmp_path / "run" / "sites" / "east.water")
    assert {one.layer for one in own} == {"h3", "gradients"}
    assert {one.receiver for one in own} == {"coordinator"}
    assert sorted((o.verb, o.sha256) for o in (*own, *released(weather(tmp_path)))) == sorted(
        carried
    )
    assert [one.check.findings for one in review_ledgers(tmp_path / "run")] == [[], []]


def test_a_grant_lets_activations_leave_and_is_named(tmp_path):
    quick_map(tmp_path)
    name_policy(tmp_path, "east", deep_grant(more='cadence = "1h"'))
    [party] = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert party.failures == []
    assert {one.policy_grants for one in released(weather(tmp_path))} == {("weather-deep",)}


@pytest.mark.parametrize(
    ("grants", "reason"),
    [
        (layers_grant(), "weather grants nothing of this kind"),
        (deep_grant(until="1999-12-31"), "held until"),
        (deep_grant(city="west"), "east is no grantee of weather-deep"),
        (deep_grant(more='cadence = "2h"'), "3600 s between two releases are less"),
        (deep_grant(more="max_stream_r2 = 0.5"), "was not measured"),
    ],
)
def test_without_a_grant_no_activation_leaves_and_the_party_goes_on_alone(
    tmp_path, carried, grants, reason
):
    quick_map(tmp_path)
    name_policy(tmp_path, "east", grants)
    [party] = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert carried == []
    assert not (weather(tmp_path) / "releases.jsonl").exists()
    lacking, failure = party.failures
    assert "no package for daily use was written" in lacking
    assert not list((tmp_path / "run").glob("**/*.fused"))
    assert list(weather(tmp_path).glob("**/*.encoder"))  # to be audited
    assert "the policy of east denies the release of deep data of weather for water" in failure
    assert reason in failure
    assert np.isfinite(party.test["automatic"].mae)


def test_a_revocation_stops_the_next_block(tmp_path, monkeypatch):
    quick_map(tmp_path)
    name_policy(tmp_path, "east", deep_grant())
    backward = agency_party.AgencyParty._backward

    def revoke(self, message):
        if message.numbers["round"] == 1:
            text = '[[revoked]]\ngrant = "weather-deep"\nat = 1\n'
            (tmp_path / "east-policy.revoked.toml").write_text(text, encoding="utf-8")
        return backward(self, message)

    monkeypatch.setattr(agency_party.AgencyParty, "_backward", revoke)
    [party] = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert [one.round for one in released(weather(tmp_path))] == [0, 0, 1]
    assert any("was revoked" in one for one in party.failures)


def test_the_leakage_is_that_of_its_own_encoders_audit(tmp_path):
    quick_map(tmp_path)
    name_policy(tmp_path, "east", deep_grant(more="max_stream_r2 = 0.5"))
    save_encoder_audit(weather(tmp_path), 0.6)
    [party] = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert any("R² 0.6 is over the 0.5" in one for one in party.failures)
    again = tmp_path / "again"
    save_encoder_audit(again / "run" / "sites" / "east.weather", 0.4)
    [party] = trained(again, load_map(tmp_path / "map.toml"))
    assert party.failures == []
    assert {one.leakage.activations_r2 for one in released(weather(again))} == {"0.4000"}


def test_equal_agencies_record_the_layers_that_they_share(tmp_path, carried):
    trained(tmp_path, quick_map(tmp_path, more=SHARED, cities=("east", "west"), rounds=1))
    for city in ("east", "west"):
        found = [one for one in released(weather(tmp_path, city)) if one.verb == "train"]
        assert [(one.round, one.layer) for one in found] == [
            (number, layer) for number in range(6) for layer in ("h1", "h2")
        ]
        assert {(one.training, one.receiver) for one in found} == {
            ("water.pretraining-weather-1", "coordinator")
        }
        assert {(one.grant.level, one.grant.stem) for one in found} == {(2, "private")}
        assert {one.sha256 for one in found} <= {digest for _, digest in carried}
    assert all(not one.check.findings for one in review_ledgers(tmp_path / "run"))


def test_encoders_layers_leave_only_as_a_policy_grants(tmp_path, carried):
    """East grants too few layers; west, without a policy, goes on alone."""
    quick_map(tmp_path, more=SHARED, cities=("east", "west"), rounds=1)
    name_policy(tmp_path, "east", deep_grant() + layers_grant(highest="h1"))
    east, west = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert "the policy of east denies the release of layers of weather" in east.failures[0]
    assert "higher than h1" in east.failures[0]
    assert west.failures == []
    assert {one.verb for one in released(weather(tmp_path))} == {"forward"}
    assert {one.verb for one in released(weather(tmp_path, "west"))} == {"train", "forward"}


def test_encoders_layers_leave_as_a_policy_grants(tmp_path):
    quick_map(tmp_path, more=SHARED, cities=("east", "west"), rounds=1)
    name_policy(tmp_path, "east", deep_grant() + layers_grant(highest="h2"))
    east, _ = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert east.failures == []
    grants = {one.verb: one.policy_grants for one in released(weather(tmp_path))}
    assert grants == {"train": ("weather-layers",), "forward": ("weather-deep",)}


def test_no_encoder_alone_is_a_sum_of_several(tmp_path):
    """Equal agencies' updates are seen one by one, whatever the service's own sums are."""
    quick_map(tmp_path, more=SHARED, cities=("east", "west"), rounds=1)
    name_policy(tmp_path, "east", deep_grant() + layers_grant(more="least_k = 2"))
    east, _ = trained(tmp_path, load_map(tmp_path / "map.toml"))
    assert "updates of 1 are joined" in east.failures[0]
