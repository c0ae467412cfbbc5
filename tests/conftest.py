"""Settings for all tests."""

import gc
import os
import shutil
import tempfile

import live_town
import pytest
from browser import NO_CHROMIUM
from hypothesis import settings
from live_city import open_node, trained  # noqa: F401
from postgres_server import postgres, postgres_url  # noqa: F401
from strangers import NO_STRANGERS

pytest.register_assert_rewrite("towns")  # a plugin of some modules that others import

# The same examples on every run, so that a change is judged by itself and not by luck.
# DEEPCITY_TEST_EXAMPLES=random looks for new ones; what it finds becomes a test of its own.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("DEEPCITY_TEST_EXAMPLES", "same"))

# What tests sign is signed by a key of theirs, also in processes that they start.
_KEYS = tempfile.mkdtemp(prefix="deepcity-keys-") if "DEEPCITY_KEYS" not in os.environ else None
if _KEYS is not None:
    os.environ["DEEPCITY_KEYS"] = _KEYS


@pytest.fixture(scope="session")
def town_trained(tmp_path_factory):
    """A small town with trained packages; see `live_town`."""
    return live_town.build(tmp_path_factory.mktemp("town"))


def pytest_collection_finish():
    """Modules and tests that stay to the end are not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config):
    """The last lines say which tests did not run for want of what, and how to install it."""
    if _KEYS is not None:
        shutil.rmtree(_KEYS, ignore_errors=True)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats.get("skipped", ()) if reporter else ()
    for what, reason in (("of pages", NO_CHROMIUM), ("with others' software", NO_STRANGERS)):
        skipped = sum(reason in str(one.longrepr) for one in stats)
        if skipped:
            reporter.line(f"{skipped} tests {what} did not run: {reason}")
