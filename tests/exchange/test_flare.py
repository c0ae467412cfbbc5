"""The exchange between machines, with real server and client processes under mutual TLS."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from contract_party import Joined
from little_map import without_seconds
from test_exchange_contract import *  # noqa: F403 (the contract of every transport)

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from flare_federation import (
    AGENCY_SITE,
    GROUPED,
    SITES,
    kit_folder,
    running_federation,
    take_lease,
)

from deepcity.city.errors import ExchangeError
from deepcity.city.progress import NoProgress
from deepcity.exchange.flare.engine import Operator
from deepcity.exchange.flare.kits import (
    OPERATOR,
    FederationFile,
    new_federation,
    operator_folder,
)
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.trust.head_party import OWN_HEAD
from deepcity.exchange.trust.shown_heads import SHOWN_HEADS
from deepcity.forecasting.forecaster import Forecaster
from deepcity.forecasting.run_parties import find_parties
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.parties.releases.heads import collected_heads
from deepcity.runs.machines.lead import Leader
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.releases.review import review_ledgers
from deepcity.runs.run import load_results
from deepcity.runs.simulate import Simulation
from deepcity.runs.site import Site
from deepcity.store.release_ledger.witness import COSIGNED
from deepcity.store.run_folder import site_folder
from deepcity.vertical.run import load_vertical_results, run_vertical
from deepcity.web.report.page import render

pytestmark = pytest.mark.machines


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One federation for the whole file, with a lease that all its tests use."""
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    with running_federation(tmp_path_factory.mktemp("flare")) as running:
        take_lease(running, "deepcity-contract-0")
        yield running


@pytest.fixture
def joined(running):
    """Three parties of the contract, in a worker process of each site."""
    ledger = Ledger()
    tasks = {site: CallTask(party=site, level=6) for site in SITES}
    return Joined(
        MachineExchange(running.link, SITES, running.link.sites, tasks, ledger=ledger), ledger
    )


def test_operator_of_another_federation_is_refused(running, tmp_path):
    federation = FederationFile(name="tests", port=running.federation.port)
    new_federation(tmp_path / "other", federation)
    stranger = Operator(operator_folder(tmp_path / "other"), OPERATOR, patience_s=1.0)
    with pytest.raises(ExchangeError, match="does not answer"):
        stranger.connected()


def run_in_process(service, seed, folder):
    """What the same service gives in this process: its simulation, and its results."""
    settings, parties = service.settings, parties_of(service)
    sites = [Site(settings, one, seed, site_folder(folder, one.name)) for one in parties]
    newcomers = dict.fromkeys(settings.newcomers, "")
    simulation = Simulation(service, sites, seed, folder, NoProgress(), {}, newcomers)
    return simulation, simulation.run()


@pytest.fixture(scope="module")
def led(running):
    """The services of the federation's map, led between machines and run in this process."""
    city_map = load_map(running.map_file)
    seed, folder = city_map.settings.seed, running.folder / "run"
    leases = LeaseHolder(running.federation, running.leasing, running.link, folder)
    leases.held = lambda _done: None  # the lease of this file
    found = Leader(city_map, leases, folder).run()
    alone = running.folder / "alone"
    expected = [run_in_process(service, seed, alone) for service in city_map.services]
    run_vertical(city_map, running.folder / "in-process")
    return list(zip(found, expected, strict=True))


WATER, SECURE, VERTICAL, ASYNCHRONOUS, GROUPS = range(5)


def counted(ledger):
    """Bytes of layers, and where any passed; a header may differ in a number's last digit, and a
    claim of rows names its federation.
    """
    return [row[:5] + row[5:] * (row[4] not in {"header", "claim"}) for row in ledger.snapshot()]


@pytest.mark.parametrize(
    ("service", "stages"),
    [(WATER, 1), (SECURE, 0), (VERTICAL, 0), (ASYNCHRONOUS, 0), (GROUPS, 0)],
)
def test_same_map_gives_the_same_trainings_on_both_transports(led, service, stages):
    found, (expected, _) = led[service]
    assert found.trainings.keys() == expected.trainings.keys()
    assert len(found.stages) == len(expected.stages) == stages
    pairs = [(found.trainings[name], expected.trainings[name]) for name in found.trainings]
    for training, other in [*pairs, *zip(found.stages, expected.stages, strict=True)]:
        one, two = training.progress, other.progress
        assert not any(one.failures)
        assert one.weights == two.weights
        for errors, others in zip(one.errors, two.errors, strict=True):
            assert errors == pytest.approx(others, rel=1e-5)
        for layer, tensors in two.state.layers.items():
            for tensor, values in tensors.items():
                np.testing.assert_allclose(
                    one.state.layers[layer][tensor], values, rtol=1e-4, atol=1e-6
                )
        assert counted(training.ledger) == counted(other.ledger)


def test_updates_that_come_one_by_one_are_counted_once(led):
    progress = led[ASYNCHRONOUS][0].trainings["level_6"].progress
    assert len(progress.asynchronous.fused_s) == progress.round == 3
    assert not progress.asynchronous.awaited
    assert set(progress.trained.values()) == {3}
    sent = [row for row in led[ASYNCHRONOUS][0].trainings["level_6"].ledger.snapshot()
            if row[1] == "train" and row[2] != "coordinator" and row[4] == "h1"]  # fmt: skip
    assert len(sent) == 3 * len(SITES)
    assert len({row[5] for row in sent}) == 1


def test_secure_sums_were_opened_and_no_site_opens_them_again(running, led):
    sums = led[SECURE][0].trainings["level_6"].ledger.snapshot()
    assert {"sum_keys", "sum_shares", "sum_unmask"} <= {row[1] for row in sums}
    for site in SITES:
        kept = own_run(running, site) / "sites" / f"{site}.water" / "sums.json"
        assert json.loads(kept.read_text()) == {"secure.level_6": 1}


def test_sums_within_groups_were_opened_and_no_site_opens_them_again(running, led):
    training = led[GROUPS][0].trainings["level_6"]
    sums = [row for row in training.ledger.snapshot() if row[1] == "sum_unmask"]
    assert {row[3] for row in sums if row[2] == "coordinator"} == {
        f"{site}/{name}" for site in SITES for name in GROUPED
    }
    for site in SITES:
        for name in GROUPED:
            kept = own_run(running, site) / "sites" / f"{site}.{name}" / "sums.json"
            assert json.loads(kept.read_text()) == {"groups.level_6": 1}


def close(found, expected, where=""):
    """Two results as data: equal, numbers but for rounding."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            close(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for at, one in enumerate(expected):
            close(found[at], one, f"{where}.{at}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("service", [WATER, SECURE, ASYNCHRONOUS, GROUPS])
@pytest.mark.parametrize("number", range(len(SITES)))
def test_sites_choose_and_err_as_in_one_process(led, service, number):
    found, (_, expected) = led[service]
    ours, theirs = found.parties[number], expected[number]
    assert ours.newcomer == (service == WATER and ours.name == "south/water")
    sent = theirs.for_the_map(shared=service == WATER and ours.name == "north/water")
    close(ours.model_copy(update={"notes": []}).model_dump(), sent.model_dump())
    kept = [one for one in theirs.notes if not one.code.startswith(("records_", "naive_"))]
    close([one.model_dump() for one in ours.notes], [one.model_dump() for one in kept])


def own_run(running, site):
    return kit_folder(running.folder, site) / "run"


@pytest.mark.parametrize("site", SITES)
def test_each_site_forecasts_on_its_own_machine(running, led, site):
    """By the folder of its kit alone, as `deepcity forecast` does."""
    party, *_ = find_parties(own_run(running, site))
    alone = Forecaster.load(running.folder / "alone", "water", party.party)
    ours, theirs = (party.attach(one, party.panel()).predict() for one in (party.open(), alone))
    assert ours.origin_B == theirs.origin_B
    assert np.isfinite(ours.forecast_BNH).all()
    np.testing.assert_allclose(ours.forecast_BNH, theirs.forecast_BNH, rtol=1e-4)
    np.testing.assert_allclose(ours.half_BNH, theirs.half_BNH, rtol=1e-4)


def test_nothing_of_others_lies_at_a_site(running, led):
    for site in SITES:
        run = own_run(running, site)
        own = {f"{site}.{name}" for name in ("water", *GROUPED)}
        own |= {"centre.weather"} & {f"{site}.weather"}  # the north's has a site of its own
        assert {one.name for one in (run / "sites").iterdir()} == own
        heads = {COSIGNED, SHOWN_HEADS, OWN_HEAD}  # names, sizes and hashes of others' ledgers
        files = [one for one in run.rglob("*") if one.is_file() and one.name not in heads]
        text = b"".join(path.read_bytes() for path in files)
        for other in SITES:
            assert other == site or f"{other}/water".encode() not in text


@pytest.mark.parametrize("site", [*SITES, AGENCY_SITE])
def test_each_ledger_ends_under_the_co_signatures_of_all_other_sites(running, led, site):
    """As `deepcity ledger verify KIT` finds it; and the hub's own copies are the same."""
    reviews = review_ledgers(kit_folder(running.folder, site))
    assert [(one.name, one.check.findings) for one in reviews if one.check.findings] == []
    parties = [one for one in collected_heads(running.folder / "run") if one != "north/weather"]
    for one in reviews:
        signers = {signed.by for signed in one.sheet.cosignatures}
        assert signers >= {other for other in parties if not other.startswith(one.name[:5])}
        assert one.check.size == one.sheet.head.head.size > 0


def test_the_hub_has_a_report_and_no_forecast_that_is_not_granted(running, led):
    folder = running.folder / "run"
    results = load_results(folder)
    service, *_ = results.services
    shown = {one.name for one in service.parties if one.forecast.times}
    assert shown == {"north/water"}
    assert {one.code for one in service.notes} >= {"between_machines"}
    page = render(results)
    assert "Trained between machines" in page
    assert not list(folder.rglob("own"))
    assert sorted(one.name for one in folder.iterdir()) == [
        "coordinator",
        "results.json",
        "rounds.json",
        "status.json",
        "vertical",
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_agencies_train_with_an_application_as_in_one_process(running, led, number):
    """Activations forward and gradients back between the worker processes of two sites, and of one;
    before that, rounds between the agencies of both cities.
    """
    found = load_vertical_results(running.folder / "run" / "vertical")
    expected = load_vertical_results(running.folder / "in-process")
    ours, theirs = (only.services[0].parties[number] for only in (found, expected))
    assert ours.failures == []
    sizes = [{mode: {**cost.by_kind, "header": 0} for mode, cost in one.costs.items()}
             for one in (ours, theirs)]  # fmt: skip
    assert sizes[0] == sizes[1]
    assert sizes[0]["per-batch"]["gradients"] > 0
    assert ours.cost.messages == theirs.cost.messages
    data = [without_seconds(one.model_dump(exclude={"cost", "costs"})) for one in (ours, theirs)]
    data[1]["forecast"] = None
    for facts in (one["facts"] for one in data):
        for fact in facts:
            fact.pop("sent"), fact.pop("received")  # with headers
    close(*data)


def test_an_agencys_site_holds_its_encoder_and_the_applications_site_the_network(running, led):
    kinds = {AGENCY_SITE: "north.weather/packages/north.water/*.encoder"}
    kinds["north"] = "north.water/packages/north.water/*.fused"
    for site, pattern in kinds.items():
        [ours] = (own_run(running, site) / "sites").glob(pattern)
        [theirs] = (running.folder / "in-process" / "sites").glob(pattern)
        assert ours.name.partition("-")[0] == theirs.name.partition("-")[0]
    text = b"".join(one.read_bytes() for one in own_run(running, AGENCY_SITE).rglob("*")
                    if one.is_file())  # fmt: skip
    assert b"flow" in text
    assert not list(own_run(running, AGENCY_SITE).glob("sites/north.water"))
