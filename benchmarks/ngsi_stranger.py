"""What a stranger's libraries find at a node's NGSI-LD routes; run by `benchmarks.ngsi_client`.

It runs in an environment of its own, so it imports nothing of ours, and theirs only once it runs.
"""

import gzip
import json
import sys
from pathlib import Path

WATER = "WaterConsumptionObserved"
FOUND = []


def look(what, test):
    """Try something, and keep what came."""
    try:
        came = test()
    except Exception as error:  # whatever it is, it does not work
        FOUND.append((what, False, f"{type(error).__name__}: {error}"[:300].replace("\n", " ")))
        return
    works = came is not None and came is not False
    FOUND.append((what, works, str(came)[:120].replace("\n", " ")))


def by_client(port):
    """Everything that the client library offers to read with."""
    from ngsildclient import Client, Entity, SubscriptionBuilder
    from ngsildclient.api.exceptions import NgsiContextBrokerError

    client = Client(hostname="127.0.0.1", port=port, verbose=False)
    first = f"urn:ngsi-ld:{WATER}:a:x:p0"
    look("ngsildclient: connects", client.is_connected)
    look("types.list", client.types.list)
    look("entities.get", lambda: client.entities.get(first)["waterFlow"]["value"])
    look("entities.exists", lambda: client.entities.exists(first))
    look("query by type", lambda: len(list(client.query(type=WATER))) == 4 and "4 entities")
    look("query with q", lambda: len(list(client.query(type=WATER, q='name=="p0"'))) == 2)
    look("count", lambda: client.count(type=WATER) == 4 and "4")
    look(
        "temporal.get",
        lambda: len(client.temporal.get(first, ["waterFlow"])["waterFlow"]["values"]),
    )

    def write():
        try:
            client.entities.create(Entity("Thing", "x"))
        except NgsiContextBrokerError as error:
            return type(error).__name__
        return False

    look("entities.create is refused", write)

    def subscribe():
        made = SubscriptionBuilder("http://127.0.0.1:9/notify").select_type(WATER).build()
        name = client.subscriptions.create(made)
        known = [one["id"] for one in client.subscriptions.list()]
        gone = client.subscriptions.purge()
        return name in known and gone and "created, listed, deleted"

    look("subscriptions", subscribe)


def by_models(terms):
    """Attributes and IRIs beside those of the package of Smart Data Models."""
    import pysmartdatamodels

    path = Path(pysmartdatamodels.__file__).parent / "model-assets" / "smartdatamodels.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = json.load(file)
    kinds = {kind for kind, _, _ in terms}
    known = {}
    for one in rows:
        if one["dataModel"] in kinds:
            known.setdefault((one["dataModel"], one["property"]), set()).add(one["context"])
    for kind in sorted(kinds):
        own = [(name, iri) for of, name, iri in terms if of == kind]
        wrong = [name for name, iri in own if iri not in known.get((kind, name), ())]
        FOUND.append(
            (f"Smart Data Models: {kind}", not wrong, ", ".join(wrong) or f"{len(own)} names")
        )


if __name__ == "__main__":
    by_client(int(sys.argv[1]))
    by_models(json.load(sys.stdin))
    print(json.dumps(FOUND))
