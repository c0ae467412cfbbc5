"""What an audit has measured of an agency's deep data, and the limit where nothing else is granted.

The promise of the default: a stream of deep data tells no more of the agency's records than the
forecast that is made from them tells anyway, and `ABOVE_FORECAST`.
"""

from dataclasses import dataclass
from pathlib import Path

from deepcity.audit.layer_leakage import layer_leakage
from deepcity.audit.results import FORECAST
from deepcity.city.errors import GrantError
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.privacy.policy.release import ABOVE_FORECAST, above_forecast


@dataclass(frozen=True)
class DeepLeakage:
    """R² of the best attack on a stream of 24; None: not measured.

    Attributes:
        stream_r2: of deep data.
        forecast_r2: of the forecast made from them.
    """

    stream_r2: float | None = None
    forecast_r2: float | None = None

    @property
    def above_forecast(self) -> float | None:
        """How much more deep data leak; a forecast that was not measured leaks nothing."""
        return above_forecast(self.stream_r2, self.forecast_r2)

    def check(self, agency: str, service: str) -> None:
        """Check that deep data leak no more than the forecast, and `ABOVE_FORECAST`.

        Raises:
            GrantError: with what was measured and the next step.
        """
        above = self.above_forecast
        if above is None:
            raise GrantError(
                f"{agency}'s deep data do not leave for {service}: what they leak was not "
                f"measured. Run `deepcity audit` on the run's folder. {_IN_WORDS}"
            )
        if not above <= ABOVE_FORECAST:
            raise GrantError(
                f"{agency}'s deep data do not leave for {service}: a stream of 24 leaks R² "
                f"{self.stream_r2:.2f}, the forecast {self._forecast}, and at most "
                f"{ABOVE_FORECAST:g} more is released. Choose stronger defences (a narrower "
                "width; noise, bits and cadence in `defences`), train again and audit again. "
                f"{_IN_WORDS}"
            )

    @property
    def _forecast(self) -> str:
        return "was not measured" if self.forecast_r2 is None else f"{self.forecast_r2:.2f}"


_IN_WORDS = (
    'Where it accepts what they leak, the agency says so in the map: leakage = "any" in its '
    "[[service.vertical.agency]], and the map is trained again"
)


def deep_leakage(folder: Path, party: str, service: str, model: str = "") -> DeepLeakage:
    """What the audits in a folder have measured.

    Args:
        folder: the agency's site.
        party: "city/agency".
        model: version of the encoder; empty: of any.
    """
    found = layer_leakage(folder, party, service, deep=True, model=model)
    stream, forecast = (
        found[layer].stream_r2 if layer in found else None for layer in (BOTTLENECK, FORECAST)
    )
    return DeepLeakage(stream, forecast)
