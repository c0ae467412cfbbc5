"""A curious application of the own city: it wants deep data beyond what is granted."""

from dataclasses import replace

import numpy as np

from benchmarks.red_team.play import Ending, Stage, all_of, measured, named, play, stopped_by
from benchmarks.red_team.stages.deep_data import TOKEN, deep_data_town
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.simulated import Simulated
from deepcity.city.errors import DeepCityError, GrantError
from deepcity.exchange.message import Message
from deepcity.live.delivery import Delivery
from deepcity.store.release_ledger.lines import entry_of, read_lines

WHO = "curious application"
BEYOND, HIDE = "deep data beyond what is granted", "to hide what it got"


@play(WHO, Stage.SIMULATED, BEYOND)
def reads_what_no_grant_names(stage: Simulated) -> Ending:
    """reads its store as another service, and a lower layer than is granted"""
    with deep_data_town(stage.deep_data, stage.folder / "no-grant") as town:
        batch = town.encoded()
        town.intake.accept("weather", batch, now=town.now)
        assert len(town.store.latest(batch.space, None, town.now, reader="water").time_R)
        lower = replace(batch.space, layer="h1")
        tries = [("billing", batch.space), ("water", lower)]
        return all_of(
            stopped_by(
                GrantError,
                "grant",
                lambda who=who, space=space: town.store.read(space, None, 0, town.now, reader=who),
            )
            for who, space in tries
        )


@play(WHO, Stage.SIMULATED, BEYOND)
def reads_stored_deep_data_after_revocation(stage: Simulated) -> Ending:
    """reads what it has stored after the city has revoked the grant, and has the store refilled"""
    with deep_data_town(stage.deep_data, stage.folder / "revoked") as town:
        batch = town.encoded()
        town.intake.accept("weather", batch, now=town.now)
        town.revoke()
        return all_of(
            stopped_by(GrantError, "was revoked", attempt)
            for attempt in (
                lambda: town.store.latest(batch.space, None, town.now, reader="water"),
                lambda: town.store.read(batch.space, None, 0, town.now, reader="water"),
                lambda: town.intake.accept("weather", batch, now=town.now),
            )
        )


@play(WHO, Stage.SIMULATED, BEYOND)
def waits_for_a_parcel_after_revocation(stage: Simulated) -> Ending:
    """stays ready for what the agency had put into its outbox before the grant was revoked"""
    with deep_data_town(stage.deep_data, stage.folder / "waits") as town:
        town.encoded()
        receiver = "http://127.0.0.1:9"
        releases = town.releases(receiver)
        town.revoke()
        delivery = Delivery(town.outbox, receiver, lambda: TOKEN, before=releases.before)
        found = "; ".join(one.reason for one in delivery.deliver())
        delivery.close()
        assert town.outbox.waiting().parcels == 1
        return named("was revoked", found)


@play(WHO, Stage.SIMULATED, BEYOND)
def asks_for_more_by_its_own_package(stage: Simulated) -> Ending:
    """has an encoder of another version send to its space: one that it trained by itself"""
    with deep_data_town(stage.deep_data, stage.folder / "other-version") as town:
        batch = town.encoded()
        other = replace(batch.space, version="0" * len(batch.space.version))
        return stopped_by(
            DeepCityError,
            "versions are never mixed",
            lambda: town.intake.accept("weather", replace(batch, space=other), now=town.now),
        )


@play(WHO, Stage.SIMULATED, HIDE)
def leaves_no_trace_at_itself(stage: Simulated) -> Ending:
    """answers nothing to a parcel, so that nobody knows that it came"""
    with deep_data_town(stage.deep_data, stage.folder / "hides") as town:
        town.encoded()
        releases = town.releases("http://127.0.0.1:9")
        delivery = Delivery(
            town.outbox, "http://127.0.0.1:9", lambda: TOKEN, before=releases.before
        )
        delivery.deliver(patient=False)
        delivery.close()
        lines = read_lines(town.folder / "state" / "releases.jsonl")
        kept = [entry_of(one.data) for one in lines if not one.is_head]
        return measured(1 - len(kept), 0, "parcels that are not in the agency's own ledger:")


@play(WHO, Stage.MACHINES, BEYOND)
def asks_an_agency_of_another_city(stage: Machines) -> Ending:
    """asks an agency that helps another city's application for activations, from its own site"""
    return stage.refused_to_site(
        r"south \(\w+\) may not ask for 'forward'",
        "north/weather",
        Message("forward", {}, {"times": {"times": np.arange(3)}}),
        method="agency",
        caller="south/water",
        training="vertical.vertical",
        service="vertical",
    )
