"""Settings for all tests."""

import os

import live_town
import pytest
from hypothesis import settings

# The same examples on every run, so that a change is judged by itself and not by luck.
# DEEPCITY_TEST_EXAMPLES=random looks for new ones; what it finds becomes a test of its own.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("DEEPCITY_TEST_EXAMPLES", "same"))


@pytest.fixture(scope="session")
def town_trained(tmp_path_factory):
    """A small town with trained packages; see `live_town`."""
    return live_town.build(tmp_path_factory.mktemp("town"))
