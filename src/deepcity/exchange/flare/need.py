"""Is the engine installed? Asked before anything that needs it."""

from importlib.util import find_spec

from deepcity.city.errors import ExchangeError


def require_engine() -> None:
    """Refuse without NVIDIA FLARE.

    Raises:
        ExchangeError: how to install it.
    """
    if find_spec("nvflare") is None:
        raise ExchangeError(
            "federations between machines need NVIDIA FLARE, which is not installed here: "
            "pip install 'deepcity[flare]'"
        )
