"""Both ends of a job of the engine alone: the same bytes to and fro, without our exchange."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nvflare.collab import collab

from deepcity.exchange.flare.access import CallAccess, CallerRole, Rule
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.engine import Relay, SiteEndpoint
from deepcity.exchange.message import Message

RAW_FILE, RESULT_FILE = "raw.json", "raw-seconds.json"


class Echo:
    """Answers with what it was sent."""

    def handle(self, message, caller):
        """The message again."""
        return Message(message.verb, message.numbers, message.layers)


class RawSite(SiteEndpoint):
    """A party that echoes through our exchange, and a method that echoes without it."""

    def desk(self, name, folder, sites, wire):
        """A desk with the echo alone."""
        rules = {"echo": Rule(frozenset({CallerRole.COORDINATOR}), layers=True, in_training=False)}
        access = CallAccess(rules, services={"": 6})
        return Desk({name: PartyDesk(access, lambda _task: Echo())}, sites)

    @collab.publish
    def echo(self, blob):
        """The bytes again, by the engine's own call."""
        return blob


class RawRelay(Relay):
    """Runs rounds by the engine's own calls, whenever a file asks for them, beside our relay."""

    @collab.main
    def lead(self, context):
        """Carry calls, and run the engine's own rounds when asked."""
        folder = Path(context.workspace.get_site_config_dir())
        watch = ThreadPoolExecutor(1)
        watch.submit(self._watch, folder, context)
        relay = super().lead
        relay(context)

    def _watch(self, folder, context):
        while not context.is_aborted():
            try:
                asked = json.loads((folder / RAW_FILE).read_text())
            except (OSError, ValueError):
                time.sleep(0.05)
                continue
            (folder / RAW_FILE).unlink()
            seconds = [_round(context.clients, asked["bytes"]) for _ in range(asked["rounds"])]
            (folder / RESULT_FILE).with_suffix(".part").write_text(json.dumps(seconds))
            (folder / RESULT_FILE).with_suffix(".part").rename(folder / RESULT_FILE)


def _round(clients, size):
    """Seconds of one round: every site at once, the same bytes each way."""
    blob = bytes(size)
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        back = list(pool.map(lambda site: site(timeout=60.0).echo(blob=blob), clients))
    assert all(len(one) == size for one in back)
    return time.perf_counter() - begun
