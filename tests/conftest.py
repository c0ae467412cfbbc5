"""Settings for all tests."""

import os

import live_town
import pytest
from browser import NO_CHROMIUM
from hypothesis import settings
from postgres_server import postgres, postgres_url  # noqa: F401

pytest.register_assert_rewrite("towns")  # a plugin of some modules that others import

# The same examples on every run, so that a change is judged by itself and not by luck.
# DEEPCITY_TEST_EXAMPLES=random looks for new ones; what it finds becomes a test of its own.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("DEEPCITY_TEST_EXAMPLES", "same"))


@pytest.fixture(scope="session")
def town_trained(tmp_path_factory):
    """A small town with trained packages; see `live_town`."""
    return live_town.build(tmp_path_factory.mktemp("town"))


def pytest_unconfigure(config):
    """The last line says which tests did not run for want of a browser, and what to install."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats.get("skipped", ()) if reporter else ()
    skipped = sum(NO_CHROMIUM in str(one.longrepr) for one in stats)
    if skipped:
        reporter.line(f"{skipped} tests of pages did not run: {NO_CHROMIUM}")
