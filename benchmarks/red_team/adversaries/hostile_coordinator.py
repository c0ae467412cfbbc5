"""A hostile coordinator: it crafts what it sends, and rewrites what was."""

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import chdir

import numpy as np
from typer.testing import CliRunner

from benchmarks.crafted_layers import entering_rows, imprint, neighbour_estimates, share_read
from benchmarks.red_team.play import (
    Ending,
    Stage,
    all_of,
    measured,
    named,
    play,
    stopped_by,
)
from benchmarks.red_team.stages.machines import Machines
from benchmarks.red_team.stages.simulated import (
    NAMES,
    SEED,
    Simulated,
    exchange_of,
    task_of,
)
from deepcity.city.errors import ExchangeError
from deepcity.cli import app
from deepcity.exchange.exchange import Failure
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import JOIN, TRAIN
from deepcity.exchange.secure.summing_party import SUM_KEYS, SUM_SHARES, packed, secured, unpacked
from deepcity.exchange.trust.layer_distance import distance, unused_layers
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.runs.site import Site
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.witness import RewrittenHistoryError, Witness
from deepcity.store.run_folder import coordinator_folder
from deepcity.store.signatures.ed25519 import signing_key

WHO = "hostile coordinator"
ROWS, REWRITE = "to read rows by crafted layers", "to rewrite what left"
OPEN, REPEAT, MORE = "to open a secure sum", "to make sites repeat rounds", "more than a grant"
_STEEP, _FLAT = 30.0, 0.3


@play(WHO, Stage.SIMULATED, ROWS)
def sends_an_imprint_module(stage: Simulated) -> Ending:
    """sends an h1 whose neurons measure one direction, each above another threshold"""
    site, exchange = _joined(stage)
    crafted = _crafted(site, _STEEP)
    answer = exchange.call(site.name, Message(TRAIN, {ROUND: 0.0}, {"h1": crafted}))
    reasons = "; ".join(str(one) for one in unused_layers({site.name: answer}))
    return named("went on with its own layers", reasons)


@play(WHO, Stage.SIMULATED, ROWS)
def sends_a_module_close_to_the_own_layer(stage: Simulated) -> Ending:
    """mixes such a module into the site's own h1, so little that it is used, and reads the moves"""
    site, exchange = _joined(stage)
    learner = site.learners["joined"]
    own, rows_RW = learner.export(["h1"])["h1"], entering_rows(learner)
    module, share = _crafted(site, 1.0), _FLAT
    crafted = {name: (1 - share) * own[name] + share * module[name] for name in own}
    assert distance({"h1": own}, {"h1": crafted}) < 1
    answer = exchange.call(site.name, Message(TRAIN, {ROUND: 0.0}, {"h1": crafted}))
    assert not unused_layers({site.name: answer})
    new = answer.layers["h1"]
    moves = [new[key] - crafted[key] for key in ("inner.weight", "inner.bias")]
    read = share_read(neighbour_estimates(*moves), rows_RW)
    rng = np.random.default_rng(SEED)
    drawn = [rows_RW[rng.integers(0, len(rows_RW), 20)].mean(0) for _ in range(63)]
    guessed = share_read(np.array(drawn), rows_RW)
    return measured(read - guessed, 0.05, "share of estimates that are a row, over guessing:")


@play(WHO, Stage.SIMULATED, ROWS)
def sends_layers_of_another_make(stage: Simulated) -> Ending:
    """sends an h1 of another shape, and one with other tensors, to see what breaks"""
    site, exchange = _joined(stage)
    own = site.learners["joined"].export(["h1"])["h1"]
    wider = {name: np.concatenate([tensor, tensor]) for name, tensor in own.items()}
    return all_of(
        stopped_by(
            ExchangeError,
            "refused 'train'",
            lambda sent=sent: (
                exchange.call(site.name, Message(TRAIN, {ROUND: 0.0}, {"h1": sent})).numbers
            ),
        )
        for sent in (wider, {"__class__": own["inner.bias"]})
    )


def _joined(stage: Simulated) -> tuple[Site, InProcessExchange]:
    """A site that has joined a plain training at level 6."""
    site = stage.sites()[0]
    exchange = exchange_of({site.name: site.join(task_of(site))})
    exchange.call(site.name, Message(JOIN))
    return site, exchange


def _crafted(site: Site, scale: float) -> Mapping[str, np.ndarray]:
    learner = site.learners["joined"]
    own = learner.export(EVERY_LAYER)["h1"]
    return imprint(own, entering_rows(learner), scale, SEED)


@play(WHO, Stage.SIMULATED, MORE)
def asks_beyond_the_policy(stage: Simulated) -> Ending:
    """asks a site for level 6 whose city's policy lets layers up to h2 leave"""
    site = stage.policy_site("h2")
    exchange = exchange_of({site.name: site.join(task_of(site))})
    exchange.call(site.name, Message(JOIN))
    asked = Message(TRAIN, {ROUND: 0.0})
    return stopped_by(
        ExchangeError, "refused 'train'.*h2", lambda: sorted(exchange.call(site.name, asked).layers)
    )


def _edited(stage: Simulated, name: str, edit: Callable[[list[bytes]], list[bytes]]) -> str:
    """What `deepcity ledger verify` prints of a run one of whose ledgers was edited."""
    whole = CliRunner().invoke(app, ["ledger", "verify", str(stage.run)])
    assert whole.exit_code == 0, whole.output
    folder = stage.folder / name
    shutil.copytree(stage.run, folder)
    path = folder / stage.site_of(NAMES[0]).relative_to(stage.run) / "releases.jsonl"
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))
    with chdir(folder):  # evidence is written where the command is given
        found = CliRunner().invoke(app, ["ledger", "verify", str(folder)])
    return f"exit {found.exit_code}: {found.output}"


@play(WHO, Stage.SIMULATED, REWRITE)
def changes_an_entry_of_a_ledger(stage: Simulated) -> Ending:
    """changes the bytes that one entry of a site's ledger says have left"""

    def edit(lines: list[bytes]) -> list[bytes]:
        return [lines[0].replace(b'"bytes":', b'"bytes":1'), *lines[1:]]

    return named("exit 1(?s:.*)do not fit the head", _edited(stage, "changed", edit))


@play(WHO, Stage.SIMULATED, REWRITE)
def cuts_off_the_newest_entries(stage: Simulated) -> Ending:
    """cuts the second half off a site's ledger, heads and all"""
    return named(
        "exit 1(?s:.*)(fewer|shorter|missing|cut)",
        _edited(stage, "cut", lambda lines: lines[: len(lines) // 2]),
    )


@play(WHO, Stage.SIMULATED, REWRITE)
def shows_two_histories(stage: Simulated) -> Ending:
    """has a city co-sign one history of a ledger, then another as long, rightly signed"""
    site = stage.site_of(NAMES[0])
    path, key = site / "releases.jsonl", signing_key(site / "claims.pem")
    witness = Witness(
        stage.folder / "witness.json", NAMES[2], signing_key(stage.folder / "witness.pem")
    )
    witness.cosign(head_sheet(path))
    entries = [entry_of(line.data) for line in read_lines(path) if not line.is_head]
    other = ReleaseLedger(stage.folder / "other.jsonl", NAMES[0], key)
    other.record([one.release.model_copy(update={"bytes": 1}) for one in entries])
    sheet = head_sheet(other.path, [len(entries)])
    return stopped_by(
        RewrittenHistoryError, "Its history was rewritten", lambda: witness.cosign(sheet)
    )


@play(WHO, Stage.SIMULATED, "to go back unseen")
def puts_an_older_checkpoint_for_a_newer(stage: Simulated) -> Ending:
    """writes an older checkpoint of a training over the newest one, under the newest one's name"""
    folder = stage.folder / "rolled-back"
    shutil.copytree(coordinator_folder(stage.run), folder)
    older, newer = sorted(folder.glob("water.level_6*.checkpoint"))[-2:]
    shutil.copy(older, newer)
    name = newer.name.rsplit(".", 2)[0]
    found = CheckpointStore(folder).load_latest(name)
    assert found is not None
    return named("the file was renamed", "; ".join(found.skipped))


def _summing(stage: Simulated, name: str) -> InProcessExchange:
    """Sites whose layers leave in secure sums only, and that have joined."""
    of = stage.map_with(name, more="[service.strategy]\naggregation = 'secure'\n").services[0]
    sites = stage.sites(of)
    handlers = {site.name: site.join(task_of(site)) for site in sites}
    exchange = exchange_of(secured(handlers, "water.joined", 3))
    exchange.call_group(dict.fromkeys(NAMES, Message(JOIN)))
    return exchange


def _keys(exchange: InProcessExchange, parties: tuple[str, ...]) -> dict[str, bytes]:
    asked = Message(SUM_KEYS, {ROUND: 0.0}, packed({"h1": {"": b""}}))
    found = exchange.call_group(dict.fromkeys(parties, asked))
    assert not any(isinstance(one, Failure) for one in found.values()), found
    return {party: unpacked(found[party].layers)["h1"][party] for party in parties}


@play(WHO, Stage.SIMULATED, OPEN)
def makes_a_sum_of_two(stage: Simulated) -> Ending:
    """asks two members for a sum that they two are alone in"""
    exchange = _summing(stage, "sum-of-two")
    keys = _keys(exchange, NAMES[:2])
    weights = {f"weight {party}": 1.0 for party in keys}
    asked = Message(SUM_SHARES, {ROUND: 0.0, **weights}, packed({"h1": keys}))
    return stopped_by(
        ExchangeError, "has 2 members", lambda: sorted(exchange.call(NAMES[0], asked).layers)
    )


@play(WHO, Stage.SIMULATED, OPEN)
def puts_its_own_keys_into_a_sum(stage: Simulated) -> Ending:
    """gives a member the keys of three others that are its own, signed by itself"""
    honest = _summing(stage, "sum-honest")
    forged = _keys(_summing(stage, "sum-forged"), NAMES)
    keys = {**forged, NAMES[0]: _keys(honest, NAMES[:1])[NAMES[0]]}
    weights = {f"weight {party}": 1.0 for party in keys}
    asked = Message(SUM_SHARES, {ROUND: 0.0, **weights}, packed({"h1": keys}))
    return stopped_by(
        ExchangeError,
        "(?i)sign|key|identit",
        lambda: sorted(honest.call(NAMES[0], asked).layers),
    )


@play(WHO, Stage.MACHINES, REPEAT)
def has_a_round_trained_twice(stage: Machines) -> Ending:
    """sends a real site the message of a round again that it has trained, and of one before"""
    task = {"method": "level_2", "training": "water.level_2", "level": 2}
    stage.ask("centre/water", Message(JOIN), **task)
    for number in (0.0, 1.0):
        stage.ask("centre/water", Message(TRAIN, {ROUND: number}), **task)
    return all_of(
        stopped_by(
            ExchangeError,
            "was trained already",
            lambda number=number: (
                stage.ask("centre/water", Message(TRAIN, {ROUND: number}), **task).layers
            ),
        )
        for number in (1.0, 0.0)
    )


@play(WHO, Stage.MACHINES, ROWS)
def sends_crafted_layers_between_machines(stage: Machines) -> Ending:
    """sends a real site its own layers times 100, and NaN, to train with"""
    task = {"method": "level_2", "training": "water.level_2", "level": 2}
    reasons = []
    for number, change in enumerate((lambda w: w * 100, lambda w: w * np.nan)):
        stage.ask("north/water", Message(JOIN), **task)
        first = stage.ask("north/water", Message(TRAIN, {ROUND: 0.0}), **task).layers
        sent = {n: {k: change(w) for k, w in part.items()} for n, part in first.items()}
        answer = stage.ask("north/water", Message(TRAIN, {ROUND: 1.0}, sent), **task)
        reasons.append("; ".join(str(one) for one in unused_layers({f"try {number}": answer})))
    return all_of(named("went on with its own layers", one) for one in reasons)


@play(WHO, Stage.MACHINES, "to break a site")
def sends_what_is_no_message(stage: Machines) -> Ending:
    """sends a real site bytes that are no message, envelopes that are none, and other versions'"""
    whole = json.loads(stage.task("north/water").model_dump_json())
    tries = [
        ("not a message", whole, b"\xff" * 1000),
        ("not a message", whole, (1 << 62).to_bytes(8, "little") + b"{}"),
        ("not an envelope", {**whole, "training": "water./../../x"}, b""),
        ("not an envelope", {**whole, "level": 99}, b""),
        ("not an envelope", {**whole, "role": "admin"}, b""),
        ("version 0.0.1", {**whole, "version": "0.0.1"}, b""),
    ]
    return all_of(
        stopped_by(
            ExchangeError,
            words,
            lambda task=task, blob=blob: stage.ask_raw("north", json.dumps(task), blob),
        )
        for words, task, blob in tries
    )


@play(WHO, Stage.MACHINES, MORE)
def asks_an_agency_for_activations(stage: Machines) -> Ending:
    """asks an agency for activations in place of its application, and to pretrain what is not"""
    times = {"times": {"times": np.arange(3)}}
    task = {"service": "vertical", "training": "vertical.vertical", "method": "agency"}
    return all_of(
        stopped_by(
            ExchangeError,
            r"may not ask for",
            lambda verb=verb, layers=layers: stage.ask(
                "north/weather", Message(verb, {}, layers), **task
            ),
        )
        for verb, layers in (("forward", times), ("package", {}), ("handshake", {}))
    )
