"""deepcity: cities and their agencies learn together by sharing hidden layers.

>>> import deepcity
>>> sorted(deepcity.__all__)
['Federation', 'Forecaster', 'Panel', '__version__', 'load_city', 'load_map']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepcity.data.city_file import load_city
    from deepcity.data.panel import Panel
    from deepcity.forecasting.federation import Federation
    from deepcity.forecasting.forecaster import Forecaster
    from deepcity.maps.city_map import load_map

__version__ = "0.2.0"
__all__ = ["Federation", "Forecaster", "Panel", "__version__", "load_city", "load_map"]

_WHERE = {
    "Federation": "deepcity.forecasting.federation",
    "Forecaster": "deepcity.forecasting.forecaster",
    "Panel": "deepcity.data.panel",
    "load_city": "deepcity.data.city_file",
    "load_map": "deepcity.maps.city_map",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import what is asked for when it is: `deepcity --help` needs none of it."""
    if name not in _WHERE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
