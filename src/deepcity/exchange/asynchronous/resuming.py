"""An asynchronous training in a checkpoint, and what its parties may have trained since."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from deepcity.city.level import Layers, Tensors
from deepcity.exchange.asynchronous.buffered_fusion import (
    AsynchronousState,
    AwaitedUpdate,
    BufferedUpdate,
)
from deepcity.exchange.exchange import Failure
from deepcity.exchange.rounds import Progress
from deepcity.store.checkpoint import Checkpoint

_BASE, _UPDATE = "base", "update"


def newest_rounds(progress: Progress, rounds: int) -> dict[str, int]:
    """The newest round that each party can have kept since this state was.

    One that was asked for a version may have trained it; one that was free may have been asked for
    the version of now; one whose update waits to be fused has been asked for nothing since.
    """
    state = progress.asynchronous
    versions = {party: one.version for party, one in state.awaited.items()}
    versions |= {party: one.version for party, one in state.buffer.items()}
    parties = {*progress.weights, *progress.trained}
    return {party: min(versions.get(party, progress.round) + 1, rounds) for party in parties}


def resumed(progress: Progress, kept: Mapping[str, int]) -> Progress:
    """The state as parties have kept their rounds: what they trained is awaited, and all else is
    asked for anew, with the layers of now.

    Args:
        kept: party -> the newest round of its checkpoints; of parties that are connected.
    """
    state = progress.asynchronous
    awaited, outgoing = dict(state.awaited), dict(progress.outgoing)
    for party, number in kept.items():
        asked = awaited.get(party)
        if asked is not None and number <= asked.version:
            outgoing[party] = {**asked.base, **outgoing[party]}
            del awaited[party]
        elif asked is None and party not in state.buffer and number > progress.round:
            awaited[party] = AwaitedUpdate(progress.round, outgoing[party], state.clock_s)
            outgoing[party] = {}
    state = replace(state, awaited=awaited)
    return replace(progress, outgoing=outgoing, asynchronous=state)


def array_group(site: str) -> str:
    """A site's name in a checkpoint, where "/" separates groups."""
    return site.replace("/", "|")


def state_arrays(state: AsynchronousState) -> dict[str, Mapping[str, NDArray[Any]]]:
    """All layers of the state, by groups of a checkpoint."""
    found: dict[str, Mapping[str, NDArray[Any]]] = {}
    for party, base in _bases(state).items():
        found |= {f"{_BASE}:{array_group(party)}:{layer}": part for layer, part in base.items()}
    for party, update in state.buffer.items():
        group = f"{_UPDATE}:{array_group(party)}"
        found |= {f"{group}:{layer}": part for layer, part in update.layers.items()}
    return found


def state_values(state: AsynchronousState) -> dict[str, object]:
    """All else of the state, as JSON."""
    return {
        "awaited": {party: [one.version, one.asked_s] for party, one in state.awaited.items()},
        "buffer": {party: one.version for party, one in state.buffer.items()},
        "errors": dict(state.errors),
        "failed": [[one.party, one.reason] for one in state.failed],
        "refused": [[one.party, one.reason] for one in state.refused],
        "clock_s": state.clock_s,
        "fused_s": list(state.fused_s),
    }


def state_in(found: Checkpoint) -> AsynchronousState:
    """The state in a checkpoint; an empty one in those of earlier versions."""
    values = found.values.get("asynchronous")
    if values is None:
        return AsynchronousState()
    return AsynchronousState(
        awaited={
            party: AwaitedUpdate(version, _layers(found, _BASE, party), asked_s)
            for party, (version, asked_s) in values["awaited"].items()
        },
        buffer={
            party: BufferedUpdate(
                version, _layers(found, _BASE, party), _layers(found, _UPDATE, party)
            )
            for party, version in values["buffer"].items()
        },
        errors=values["errors"],
        failed=tuple(Failure(*one) for one in values["failed"]),
        refused=tuple(Failure(*one) for one in values["refused"]),
        clock_s=values["clock_s"],
        fused_s=tuple(values["fused_s"]),
    )


def _bases(state: AsynchronousState) -> dict[str, Layers]:
    """The layers that each party was sent last; it has one update under way or in the buffer."""
    bases = {party: one.base for party, one in state.awaited.items()}
    return bases | {party: one.base for party, one in state.buffer.items()}


def _layers(found: Checkpoint, kind: str, party: str) -> dict[str, Tensors]:
    prefix = f"{kind}:{array_group(party)}:"
    return {
        key.removeprefix(prefix): tensors
        for key, tensors in found.arrays.items()
        if key.startswith(prefix)
    }
