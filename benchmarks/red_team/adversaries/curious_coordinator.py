"""A curious coordinator: it keeps the rules of rounds, and looks closely at what it is sent."""

import numpy as np

from benchmarks.crafted_layers import entering_rows, share_read
from benchmarks.red_team.play import Ending, Stage, all_of, measured, play, stopped_by
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.simulated import (
    NAMES,
    SEED,
    Simulated,
    Tap,
    exchange_of,
    task_of,
)
from deepcity.city.errors import ExchangeError
from deepcity.city.level import STEM
from deepcity.exchange.layer_vectors import flat
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import COLLECT, JOIN, TRAIN, VALIDATE
from deepcity.exchange.rounds import begin, one_round
from deepcity.exchange.secure.summing_party import secured
from deepcity.intercity.method import Method
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of

WHO = "curious coordinator"
RECORDS, MORE = "a member's records", "layers that are not granted"


@play(WHO, Stage.SIMULATED, RECORDS)
def reads_rows_out_of_a_round(stage: Simulated) -> Ending:
    """divides the moves of each neuron's weights in h1 by that of its bias, after a plain round"""
    site = stage.sites()[0]
    exchange = exchange_of({site.name: site.join(task_of(site))})
    exchange.call(site.name, Message(JOIN))
    learner = site.learners["joined"]
    before, rows_RW = learner.export(["h1"])["h1"], entering_rows(learner)
    after = exchange.call(site.name, Message(TRAIN, {ROUND: 0.0})).layers["h1"]
    weight, bias = (after[key] - before[key] for key in ("inner.weight", "inner.bias"))
    moved = np.abs(bias) > 1e-12
    assert moved.any(), "nothing was trained"
    read = share_read(weight[moved] / bias[moved, None], rows_RW)
    rng = np.random.default_rng(SEED)
    drawn = [rows_RW[rng.integers(0, len(rows_RW), 20)].mean(0) for _ in range(64)]
    guessed = share_read(np.array(drawn), rows_RW)
    return measured(read - guessed, 0.05, "share of neurons that give a row, over guessing:")


@play(WHO, Stage.SIMULATED, "one member's layers")
def looks_behind_the_masks_of_a_sum(stage: Simulated) -> Ending:
    """correlates what one member sends into a secure sum with what that member had trained"""
    of = stage.map_with("sums", more="[service.strategy]\naggregation = 'secure'\n").services[0]
    sites = stage.sites(of)
    run = ServiceRun(of.settings, profiles_of(sites), SEED)
    method = Method("joined", dict.fromkeys(NAMES, 6))
    inside = {site.name: Tap(site.join(run.task(method, site.name))) for site in sites}
    outside = {name: Tap(one) for name, one in secured(inside, run.training(method)).items()}
    plan, exchange = run.plan(method), exchange_of(outside)
    one_round(exchange, plan, begin(exchange, plan))
    name = NAMES[0]
    true, sent = (
        next(answer.layers for asked, answer in tap.passed if asked.verb == TRAIN)
        for tap in (inside[name], outside[name])
    )
    assert sent, "nothing was sent"
    layers = {layer: true[layer] for layer in sent}
    one, other = flat(layers["h1"], layers["h1"]), flat(sent["h1"], layers["h1"])
    found = abs(float(np.corrcoef(one, other.astype(np.float64))[0, 1]))
    return measured(found, 5 / np.sqrt(len(one)), "correlation of a masked with the true update:")


@play(WHO, Stage.SIMULATED, MORE)
def asks_for_a_private_stem(stage: Simulated) -> Ending:
    """names the stem as common, and asks a site whose grant keeps it private"""
    return _asked(stage.sites()[0], rf"refused 'train'.*{STEM}", common_stem=True)


@play(WHO, Stage.SIMULATED, MORE)
def asks_above_the_granted_level(stage: Simulated) -> Ending:
    """asks for level 6 where the map grants level 2"""
    of = stage.map_with("level-2", levels=(2,), grant="level = 2").services[0]
    return _asked(Site(of.settings, stage.parties[0], SEED), "refused 'train'.*h3")


def _asked(site: Site, words: str, *, common_stem: bool = False) -> Ending:
    """Joins, which is allowed, and asks for a round, which must be refused."""
    exchange = exchange_of({site.name: site.join(task_of(site, common_stem=common_stem))})
    exchange.call(site.name, Message(JOIN))
    asked = Message(TRAIN, {ROUND: 0.0})
    return stopped_by(ExchangeError, words, lambda: sorted(exchange.call(site.name, asked).layers))


@play(WHO, Stage.MACHINES, MORE)
def sends_a_stem_between_machines(stage: Machines) -> Ending:
    """sends a stem to train with, and names it as common, where the site keeps its own"""
    return stopped_by(
        ExchangeError,
        "stem may not come with 'train': granted are h1, h2",
        lambda: stage.ask(
            "north/water",
            Message(TRAIN, {ROUND: 0.0}, {STEM: {"w": np.zeros(2, np.float32)}}),
            level=6,
            common_stem=True,
        ),
    )


@play(WHO, Stage.MACHINES, MORE)
def asks_for_all_layers_between_machines(stage: Machines) -> Ending:
    """asks a real site for a round at level 6 with a common stem; its own map grants level 2"""
    task = {"level": 6, "common_stem": True, "method": "level_6", "training": "water.level_6"}
    stage.ask("north/water", Message(JOIN), **task)
    answer = stage.ask("north/water", Message(TRAIN, {ROUND: 0.0}), **task)
    assert {"h1", "h2"} <= {*answer.layers}, "it did not train"
    beyond = sorted({*answer.layers} - {"h1", "h2"})
    return measured(len(beyond), 0, "layers that came beyond the granted h1 and h2:")


@play(WHO, Stage.MACHINES, RECORDS)
def asks_for_records_outright(stage: Machines) -> Ending:
    """asks a real site for rows, measured values, its package and its files, by these names"""
    return all_of(
        stopped_by(
            ExchangeError,
            rf"coordinator \(coordinator\) may not ask for '{verb}'",
            lambda verb=verb: stage.ask("north/water", Message(verb)),
        )
        for verb in ("rows", "truths", "package", "panel", "read", "shutdown")
    )


@play(WHO, Stage.MACHINES, "one member's layers")
def asks_a_summing_site_for_its_own_update(stage: Machines) -> Ending:
    """asks a site whose layers leave in secure sums to collect, to validate, and to train alone"""
    task = {"service": "secure", "method": "level_6", "training": "secure.level_6", "level": 6}
    stage.ask("north/water", Message(JOIN), **task)
    refusals = [
        stopped_by(
            ExchangeError,
            "'secure' has secure sums here",
            lambda verb=verb: stage.ask("north/water", Message(verb, {ROUND: 0.0}), **task),
        )
        for verb in (COLLECT, VALIDATE)
    ]
    answer = stage.ask("north/water", Message(TRAIN, {ROUND: 0.0}), **task)
    return all_of([*refusals, measured(len(answer.layers), 0, "layers of a round without a sum:")])
