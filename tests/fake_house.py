"""What leaves the parties of an invented city: sums of no ledger, in the product's own words."""

from datetime import UTC

from deepcity.audit.layer_leakage import LayerLeakage
from deepcity.city.localized_text import LocalizedText
from deepcity.runs.releases.outflow import LayerOutflow, SiteOutflow
from deepcity.store.release_ledger.release import ReleaseForm
from deepcity.store.release_ledger.totals import ReleaseKind, ReleaseTotal
from deepcity.web.control.house.answer import answer_json
from deepcity.web.report.house.view import HouseParty, view_of
from deepcity.web.report.text import of, translate

FIRST_S, LAST_S = 1_783_000_000, 1_784_100_000
STREAM_R2 = {"h1": 0.95, "h2": 0.83, "h3": 0.71, "h4": 0.66, "h5": 0.64, "forecast": 0.72}


def total(party, service, layer, times, size, form=ReleaseForm.PLAIN):
    levels = None if form is ReleaseForm.DOCUMENT else (1, 6)
    kind = ReleaseKind(party, "coordinator", service, layer, form)
    return ReleaseTotal(kind, times, times * size, FIRST_S, LAST_S, levels, False, None)


def outflow(party, service, *, measured):
    """All that a party of the rounds releases, measured but for the head, or not at all."""

    def leakage(layer):
        found = STREAM_R2.get(layer) if measured else None
        update = 0.97 if layer == "h1" else None
        return None if found is None else LayerLeakage("ab" * 32, found, found, update)

    claim = LayerOutflow(total(party, service, "claim", 6, 330, ReleaseForm.DOCUMENT))
    layers = [
        LayerOutflow(
            total(party, service, f"h{depth}", 210 - 30 * depth, 33_024),
            leakage(f"h{depth}"),
            leakage("forecast"),
        )
        for depth in range(1, 6)
    ]
    head = LayerOutflow(total(party, service, "head", 30, 5_100))
    return SiteOutflow((claim, *layers, head))


def house_json(city, asked):
    """Of the invented city: a party that was measured, one that was not, and one without ledger."""
    by_name = {}
    for number, one in enumerate(city.parties):
        service = next(s for s in city.services if s["name"] == one.service)
        title, question = (LocalizedText(**service[key]) for key in ("title", "question"))
        purpose = translate("house.purpose", title=title, question=question)
        party = HouseParty(
            one.name, of(LocalizedText(**one.title)), UTC, False, {one.service: purpose}
        )
        found = None if number == 2 else outflow(one.name, one.service, measured=number == 0)
        by_name[one.name] = view_of(party, found, here=False)
    views = list(by_name.values())
    chosen = by_name[asked] if asked else views[0]
    return answer_json([view.party for view in views], chosen)


def add_route(app, city):
    @app.get("/api/house")
    def house(party: str | None = None):
        return house_json(city, party)
