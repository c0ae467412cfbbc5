"""Deep data of the simulated federation: an agency of a city with a policy, and its application."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from little_vertical import deep_grant, name_policy, quick_map

from deepcity.data.city_file import CityFile, load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.learning.split.encoder_package import EncoderPackage, load_encoder
from deepcity.learning.split.fused_package import FusedPackage, load_fused
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.agency import LiveAgency
from deepcity.live.deep_store import open_deep_store
from deepcity.live.intake import Intake
from deepcity.live.releases.parcel_releases import ParcelReleases, parcel_releases
from deepcity.live.releases.policy_reads import policy_reads
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.deep_data.store import DeepDataStore
from deepcity.store.outbox import Outbox
from deepcity.vertical.run import run_vertical

TOKEN = "weather-token-0123456789"
_ACCESS = Access(
    agency=(AgencyEntry(name="weather", token=TOKEN, grant=(GrantEntry(service="water"),)),)
)
_LONG_DAYS = 36_500  # the city lives in other years


@dataclass
class DeepDataTown:
    """Both ends of deep data: a weather office, and a water company that forecasts with it.

    Attributes:
        store: of the application; it asks grants and policy before every read.
        outbox: of the agency.
    """

    folder: Path
    city: CityFile
    encoder: EncoderPackage
    encoder_file: Path
    fused: FusedPackage
    store: DeepDataStore
    outbox: Outbox

    @property
    def now(self) -> int:
        """A time shortly before the records end."""
        return int(self.weather.time_T[-30])

    @property
    def weather(self) -> Panel:
        """The agency's records."""
        return load_panel(self.city, "weather")

    @property
    def intake(self) -> Intake:
        """What checks the application's incoming deep data."""
        return Intake(self.fused, _ACCESS, self.store)

    def releases(self, receiver: str) -> ParcelReleases:
        """What checks and records the agency's parcels."""
        state = self.folder / "state"
        return parcel_releases(self.encoder, self.encoder_file, self.city, state, receiver)

    def encoded(self, receiver: str = "http://127.0.0.1:9") -> DeepData:
        """Encodes the newest rows into the outbox; what the application would be sent."""
        releases = self.releases(receiver)
        agency = LiveAgency(self.encoder, self.outbox, since=self.now - 3600, policy=releases.check)
        agency.encode_new(self.weather, self.now)
        parcel = self.outbox.first()
        assert parcel is not None
        return unpack_deep(read_space(parcel.topic), parcel.body, BLOB)

    def revoke(self) -> None:
        """The city ends its grant."""
        path = self.folder / "east-policy.revoked.toml"
        path.write_text('[[revoked]]\ngrant = "weather-deep"\nat = 1\n', encoding="utf-8")


def trained_town(folder: Path) -> Path:
    """A vertical run of a city whose policy grants the weather's deep data."""
    run_vertical(quick_map(folder), folder / "run")
    name_policy(folder, "east", deep_grant())
    return folder


@contextmanager
def deep_data_town(trained: Path, folder: Path) -> Iterator[DeepDataTown]:
    """A copy of the trained town, so that each play may revoke what it likes."""
    shutil.copytree(trained, folder)
    city, sites = load_city(folder / "east.toml"), folder / "run" / "sites"
    encoder_file = next(sites.glob("east.weather/packages/*/*.encoder"))
    fused = load_fused(next(sites.glob("east.water/packages/*/*.fused")))
    url, policy = f"duckdb:///{folder / 'deep.duckdb'}", policy_reads(city, [fused])
    with (
        open_deep_store(url, _ACCESS, "east", [fused], _LONG_DAYS, policy) as store,
        Outbox(folder / "outbox") as outbox,
    ):
        encoder = load_encoder(encoder_file)
        yield DeepDataTown(folder, city, encoder, encoder_file, fused, store, outbox)
