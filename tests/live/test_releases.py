"""Deep data of a running city under its policy: what leaves an agency, what is taken and read."""

import hashlib
import shutil
from dataclasses import replace

import pytest
from encoder_audits import save_encoder_audit
from little_vertical import deep_grant, name_policy, quick_map, released
from live_server import free_port, serving

from deepcity.city.errors import GrantError, LedgerError
from deepcity.data.city_file import load_city, load_panel
from deepcity.learning.split.encoder_package import load_encoder
from deepcity.learning.split.fused_package import load_fused
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.agency import LiveAgency
from deepcity.live.application import AgencyStatus, LiveApplication
from deepcity.live.deep_store import open_deep_store
from deepcity.live.delivery import Delivery, DeliveryOutcome
from deepcity.live.intake import Intake
from deepcity.live.releases.parcel_releases import parcel_releases
from deepcity.live.releases.policy_reads import policy_reads
from deepcity.live.vertical_forecasts import vertical_parties
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.maps.city_map import load_map
from deepcity.store.outbox import Outbox
from deepcity.vertical.run import run_vertical
from deepcity.web.api.app import create_app

TOKEN = "weather-token-0123456789"
ACCESS = Access(
    agency=(AgencyEntry(name="weather", token=TOKEN, grant=(GrantEntry(service="water"),)),)
)
REVOKED = '[[revoked]]\ngrant = "weather-deep"\nat = 1\n'


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A vertical run of a city that names no policy yet."""
    folder = tmp_path_factory.mktemp("releases")
    run_vertical(quick_map(folder, agency='leakage = "any"'), folder / "run")
    return folder


class Town:
    """A copy of the run's folder whose city names a policy, and both ends of its deep data."""

    def __init__(self, trained, folder, grants):
        self.folder = folder / "town"
        shutil.copytree(trained, self.folder)
        if grants:
            name_policy(self.folder, "east", grants)
        self.city = load_city(self.folder / "east.toml")
        sites = self.folder / "run" / "sites"
        self.encoder_file = next(sites.glob("east.weather/packages/*/*.encoder"))
        self.encoder = load_encoder(self.encoder_file)
        self.fused = load_fused(next(sites.glob("east.water/packages/*/*.fused")))
        self.water, self.weather = (load_panel(self.city, one) for one in ("water", "weather"))
        self.now = int(self.water.time_T[-30])
        self.state = folder / "state"

    def revoke(self):
        path = self.folder / "east-policy.revoked.toml"
        path.write_text(REVOKED, encoding="utf-8")

    def releases(self, receiver="http://127.0.0.1:9"):
        return parcel_releases(self.encoder, self.encoder_file, self.city, self.state, receiver)

    def agency(self, outbox, releases):
        return LiveAgency(self.encoder, outbox, since=self.now - 3600, policy=releases.check)

    def store(self):
        policy = policy_reads(self.city, [self.fused])
        url = f"duckdb:///{self.folder / 'deep.duckdb'}"
        return open_deep_store(url, ACCESS, "east", [self.fused], 36_500, policy)


@pytest.fixture
def town(trained, tmp_path):
    return lambda grants=deep_grant(): Town(trained, tmp_path, grants)  # noqa: B008 - a text


@pytest.mark.parametrize("grants", [deep_grant(more='cadence = "1h"'), ""])
def test_a_parcel_is_recorded_before_it_is_sent_and_read_by_the_application(town, tmp_path, grants):
    found = town(grants)
    with found.store() as store, Outbox(tmp_path / "outbox") as outbox:
        application = LiveApplication(found.fused, store)
        application.load_rows(found.water.between(0, found.now))
        clock = lambda: found.now  # noqa: E731
        with serving(create_app(application, ACCESS, clock=clock)) as address:
            releases = found.releases(address)
            found.agency(outbox, releases).encode_new(found.weather, found.now)
            bodies = [outbox.first().body]
            delivery = Delivery(outbox, address, lambda: TOKEN, clock, before=releases.before)
            assert [one.outcome for one in delivery.deliver()] == [DeliveryOutcome.SENT]
            delivery.close()
        [entry] = released(found.state)
        assert entry.sha256 == hashlib.sha256(bodies[0]).hexdigest()
        assert (entry.party, entry.receiver, entry.layer) == ("east/weather", address, "h3")
        assert (entry.form.value, entry.bytes, entry.round) == ("deep-data", len(bodies[0]), -1)
        assert entry.policy_grants == (("weather-deep",) if grants else None)
        assert application.forecast(found.now).agencies[0].status is AgencyStatus.FRESH


def test_what_is_sent_again_is_recorded_once(town, tmp_path):
    found = town()
    with Outbox(tmp_path / "outbox") as outbox:
        releases = found.releases()
        found.agency(outbox, releases).encode_new(found.weather, found.now)
        address = f"http://127.0.0.1:{free_port()}"
        delivery = Delivery(outbox, address, lambda: TOKEN, before=releases.before)
        for _ in range(3):
            [outcome] = delivery.deliver(patient=False)
            assert "cannot be reached" in outcome.reason
        assert len(released(found.state)) == 1
        again = Delivery(outbox, address, lambda: TOKEN, before=found.releases().before)
        again.deliver()  # another process
        assert len(released(found.state)) == 2
        delivery.close()
        again.close()


def test_a_revocation_holds_what_waits_and_hides_what_is_stored(town, tmp_path):
    found = town()
    with found.store() as store, Outbox(tmp_path / "outbox") as outbox:
        application = LiveApplication(found.fused, store)
        application.load_rows(found.water.between(0, found.now))
        releases = found.releases()
        found.agency(outbox, releases).encode_new(found.weather, found.now)
        parcel = outbox.first()
        batch = _batch(parcel)
        intake = Intake(found.fused, ACCESS, store)
        intake.accept("weather", batch, now=found.now)
        assert application.forecast(found.now).agencies[0].status is AgencyStatus.FRESH
        found.revoke()
        delivery = Delivery(outbox, "http://127.0.0.1:9", lambda: TOKEN, before=releases.before)
        [outcome] = delivery.deliver()
        assert outcome.outcome is DeliveryOutcome.WAITS
        assert "was revoked" in outcome.reason
        assert outbox.waiting().parcels == 1
        assert not (found.state / "releases.jsonl").exists()
        [state] = application.forecast(found.now).agencies
        assert state.status is AgencyStatus.NOT_GRANTED
        assert "denies the reading of deep data of weather" in state.note
        with pytest.raises(GrantError, match="was revoked"):
            intake.accept("weather", batch, now=found.now)
        with pytest.raises(GrantError, match="was revoked"):
            store.latest(batch.space, None, found.now, reader="water")


@pytest.mark.parametrize(
    ("grants", "reason"),
    [
        (deep_grant(until="1999-12-31"), "held until"),
        (deep_grant(more='cadence = "2h"'), "3600 s between two releases"),
        (deep_grant(more="max_stream_r2 = 0.5"), "was not measured"),
        (deep_grant().replace('purpose = "water"', 'purpose = "other"'), "purpose"),
    ],
)
def test_what_is_not_granted_is_not_even_put_into_the_outbox(town, tmp_path, grants, reason):
    found = town(grants)
    with Outbox(tmp_path / "outbox") as outbox:
        with pytest.raises(GrantError, match=reason):
            found.agency(outbox, found.releases()).encode_new(found.weather, found.now)
        assert outbox.waiting().parcels == 0


def test_the_leakage_that_counts_is_that_of_this_very_encoder(town):
    found = town(deep_grant(more="max_stream_r2 = 0.5"))
    site = found.folder / "run" / "sites" / "east.weather"
    save_encoder_audit(site, 0.4)
    with pytest.raises(GrantError, match="was not measured"):
        found.releases().check()
    save_encoder_audit(site, 0.4, found.encoder.version)
    assert found.releases().check() == ("weather-deep",)
    assert found.releases().leakage.activations_r2 == "0.4000"


FORECAST_ONLY = deep_grant(leakage="")  # nothing said of leakage: the default


@pytest.mark.parametrize("grants", [FORECAST_ONLY, ""])
def test_by_default_deep_data_leave_only_if_they_leak_no_more_than_the_forecast(town, grants):
    found = town(grants)
    if not grants:
        facts = replace(found.encoder.facts, any_leakage=False)
        found.encoder = replace(found.encoder, facts=facts)
    site = found.folder / "run" / "sites" / "east.weather"
    version = found.encoder.version
    with pytest.raises(GrantError, match=r"not measured.*`deepcity audit`.*leakage = \"any\""):
        found.releases().check()
    save_encoder_audit(site, 0.40, version, forecast=0.36)
    assert found.releases().check() == (("weather-deep",) if grants else None)
    save_encoder_audit(site, 0.42, version, forecast=0.36)
    with pytest.raises(GrantError, match=r"0\.42.*0\.36.*0\.05"):
        found.releases().check()
    save_encoder_audit(site, 0.06, version)  # a forecast that was not measured leaks nothing
    with pytest.raises(GrantError, match=r"0\.06.*0\.05"):
        found.releases().check()


def test_a_parcel_that_waits_is_held_when_its_leakage_is_no_longer_accepted(town, tmp_path):
    found = town("")
    found.encoder = replace(found.encoder, facts=replace(found.encoder.facts, any_leakage=False))
    site = found.folder / "run" / "sites" / "east.weather"
    save_encoder_audit(site, 0.01, found.encoder.version)
    with Outbox(tmp_path / "outbox") as outbox:
        releases = found.releases()
        found.agency(outbox, releases).encode_new(found.weather, found.now)
        save_encoder_audit(site, 0.6, found.encoder.version)
        with pytest.raises(GrantError, match=r"leaks R² 0\.60"):
            releases.before(outbox.first())


def test_what_cannot_be_recorded_does_not_leave(town, tmp_path):
    found = town()
    with Outbox(tmp_path / "outbox") as outbox:
        releases = found.releases()
        found.agency(outbox, releases).encode_new(found.weather, found.now)
        (found.state / "releases.jsonl").mkdir()
        with pytest.raises(LedgerError):
            releases.before(outbox.first())
        delivery = Delivery(outbox, "http://127.0.0.1:9", lambda: TOKEN, before=releases.before)
        [outcome] = delivery.deliver()
        assert outcome.outcome is DeliveryOutcome.WAITS
        assert "cannot be reached" not in outcome.reason


def test_a_node_that_encodes_rows_itself_asks_the_policy_too(town):
    found = town()
    [party] = vertical_parties(found.folder / "run", load_map(found.folder / "map.toml"), None)
    assert party.answer(panel=found.water).agencies[0].status is AgencyStatus.FRESH
    found.revoke()
    [state] = party.answer(panel=found.water).agencies
    assert state.status is AgencyStatus.NOT_GRANTED
    assert "denies the release of deep data of weather" in state.note


def test_a_package_of_before_purposes_were_kept_is_denied_where_there_is_a_policy(town):
    found = town()
    assert found.encoder.facts.purpose == found.fused.facts.purpose == "water"
    found.encoder = replace(found.encoder, facts=replace(found.encoder.facts, purpose=""))
    with pytest.raises(GrantError, match="purpose"):
        found.releases().check()


def _batch(parcel):
    return unpack_deep(read_space(parcel.topic), parcel.body, BLOB)


@pytest.mark.parametrize(
    ("granted", "asked", "kept"), [(7, 36_500, 7), (7, None, 7), (200, None, 90), (None, 30, 30)]
)
def test_deep_data_are_kept_no_longer_than_their_grant_allows(town, granted, asked, kept):
    found = town(deep_grant(more="" if granted is None else f"keep_days = {granted}"))
    policy = policy_reads(found.city, [found.fused])
    url = f"duckdb:///{found.folder / 'deep.duckdb'}"
    with open_deep_store(url, ACCESS, "east", [found.fused], asked, policy) as store:
        assert {info.days for info in store.spaces()} == {kept}


def test_of_several_grants_the_shortest_counts(town):
    longer = deep_grant(more="keep_days = 30").replace('"weather-deep"', '"weather-longer"')
    found = town(deep_grant(more="keep_days = 7") + longer)
    with found.store() as store:
        assert {info.days for info in store.spaces()} == {7}


def test_a_revoked_grant_goes_on_bounding_how_long_its_deep_data_are_kept(town):
    found = town(deep_grant(more="keep_days = 7"))
    found.revoke()
    with found.store() as store:
        assert {info.days for info in store.spaces()} == {7}
