"""What a stranger's client library finds at a node's NGSI-LD routes: `python stranger.py PORT`.

It runs in an environment of its own, so it imports nothing of ours; one line of JSON comes out:
what was tried, whether it works, and what came.
"""

import json
import sys

from ngsildclient import Client, Entity, SubscriptionBuilder
from ngsildclient.api.exceptions import NgsiContextBrokerError

WATER = "WaterConsumptionObserved"
FIRST = f"urn:ngsi-ld:{WATER}:a:x:p0"


def tries(client):
    """By name: everything that the client library offers to read with."""
    return {
        "is_connected": client.is_connected,
        "types.list": lambda: WATER in client.types.list(),
        "entities.get": lambda: client.entities.get(FIRST)["waterFlow"]["value"] > 0,
        "entities.exists": lambda: client.entities.exists(FIRST),
        "query by type": lambda: len(list(client.query(type=WATER))) == 4,
        "query with q": lambda: len(list(client.query(type=WATER, q='name=="p0"'))) == 2,
        "count": lambda: client.count(type=WATER) == 4,
        "temporal.get": lambda: len(_temporal(client)) > 100,
        "entities.create is refused": lambda: _refused(client),
        "subscriptions": lambda: _subscribed(client),
    }


def _temporal(client):
    return client.temporal.get(FIRST, ["waterFlow"])["waterFlow"]["values"]


def _refused(client):
    try:
        client.entities.create(Entity("Thing", "x"))
    except NgsiContextBrokerError as error:
        return "NotSupported" in type(error).__name__
    return False


def _subscribed(client):
    """Created, listed and deleted."""
    made = SubscriptionBuilder("http://127.0.0.1:9/notify").select_type(WATER).build()
    name = client.subscriptions.create(made)
    known = [one["id"] for one in client.subscriptions.list()]
    return name in known and bool(client.subscriptions.purge())


def main():
    client = Client(hostname="127.0.0.1", port=int(sys.argv[1]), verbose=False)
    found = {}
    for what, attempt in tries(client).items():
        try:
            found[what] = repr(attempt())
        except Exception as error:  # whatever it is, it does not work
            found[what] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
