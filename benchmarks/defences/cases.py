"""One set, one seed, one defence: train at the cut, attack what is released.

Shapes: B times, C cells of the agency, N places of the party, H horizon steps, D deep width.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.defences.strengths import Strength
from benchmarks.joining.cases import mean_error
from deepcity.audit.effort import FAST
from deepcity.audit.results import FORECAST, WindowLeak
from deepcity.audit.window.audit_layer import audit_layer
from deepcity.audit.window.checks import check_victim
from deepcity.audit.window.encoder_releases import encoder_victim
from deepcity.audit.window.victim import Victim
from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.learning.split.agency_learner import AgencyLearner
from deepcity.learning.split.encoder_package import TimeGrid
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.maps.city_map import Service, load_map
from deepcity.parties.party import Party, parties_of
from deepcity.privacy.defences.release import KEY_BYTES, release_stream, release_times
from deepcity.vertical.baselines import TrainedVertical, train_alone, train_joint
from deepcity.vertical.setup import VerticalSetup, build_setup, pretrain_encoders

FOLDER = Path(__file__).parent
SETS = {
    "traffic": "speeds of a district for the next one",
    "bikes": "weather for bikes",
    "dust": "weather for fine dust",
    "metro": "exits for boardings of a metro",
}
"""Maps of this folder, and whose deep data serve what."""
EFFORT = replace(FAST, places=8, training_rows=2_000, attacked_rows=1_600, mlp_steps=60)
_KEY = bytes(KEY_BYTES)
_CHUNK = 64  # origins at once


@dataclass(frozen=True)
class Case:
    """One defence of one agency's deep data.

    Attributes:
        mae: of the party's forecast over the test days; `alone`: without any deep data.
        leaks: every attack on the deep data and on the forecast.
    """

    set: str
    seed: int
    defence: str
    mae: float
    alone: float
    leaks: list[dict[str, object]]
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def measure(name: str, seed: int, wanted: Sequence[Strength]) -> Iterator[Case]:
    """Each defence in turn."""
    service = load_map(FOLDER / f"{name}.toml").services[0]
    party = parties_of(service)[0]
    alone = None
    for strength in wanted:
        begun = time.process_time()
        defended = _defended(service, strength, party)
        setup = build_setup(defended, service.members[0], party, seed)
        pretrain_encoders([setup], seed)
        training = service.settings.training
        if alone is None:
            learned = train_alone(setup, training, seed, _quiet)
            alone = mean_error(learned.forecast(party.test, {}), party)
        trained = train_joint(setup, training, seed, setup.vertical.mode, _quiet)
        victim = _victim(setup, trained, seed)
        leaks: list[WindowLeak] = []
        for layer in (BOTTLENECK, FORECAST):
            leaks += audit_layer(victim, layer, EFFORT, seed)
        yield Case(
            set=name,
            seed=seed,
            defence=strength.name,
            mae=mean_error(trained.forecast(party.test, trained.test), party),
            alone=alone,
            leaks=[one.model_dump(mode="json") for one in leaks],
            seconds=time.process_time() - begun,
        )


def _defended(service: Service, strength: Strength, party: Party) -> Service:
    """The service with the agency's width and defences set, as its map would have them."""
    vertical = service.settings.vertical
    assert vertical is not None
    step_s = party.panel.clock.step_s
    slower = timedelta(seconds=strength.slower * step_s) if strength.slower > 1 else None
    defences = strength.settings.model_copy(update={"cadence": slower})
    agency = vertical.agency[0].model_copy(update={"width": strength.width, "defences": defences})
    vertical = vertical.model_copy(update={"agency": (agency,)})
    return replace(service, settings=service.settings.model_copy(update={"vertical": vertical}))


def _victim(setup: VerticalSetup, trained: TrainedVertical, seed: int) -> Victim:
    """The agency's deep data as they leave, and the forecast from them, at times of release."""
    [(name, site)] = setup.sites.items()
    learner, party = site.answers.learner, setup.party
    columns, defences = learner.columns, learner.settings.defences
    assert isinstance(columns, Columns)
    clock, time_T = party.panel.clock, party.panel.time_T
    step_s = clock.step_s
    grid = TimeGrid(step_s, int(time_T[0]) % step_s).slowed(defences.cadence_s)
    history, horizon = party.inputs.settings.history, party.inputs.settings.horizon
    ahead_s = columns.settings.used_ahead * columns.clock.step_s
    last = min(int(time_T[-1 - horizon]), int(columns.time_T[-1]) - ahead_s)
    times_B = grid.between(int(time_T[party.split.train.start + history]) - 1, last)
    learned = int(np.searchsorted(times_B, int(time_T[party.split.train.end])))

    def released(vectors_BCD: Floats, known_BC: Bools, some_B: Ints) -> Floats:
        return release_stream(vectors_BCD, known_BC, some_B, defences, _KEY)

    def forecast(some_B: Ints) -> Floats:
        origins_B = np.searchsorted(time_T, some_B)
        chunks = range(0, len(some_B), _CHUNK)
        seen = [
            _forecast(party, name, learner, trained, origins_B[at : at + _CHUNK]) for at in chunks
        ]
        weight_NC = trained.learner.cell_weights[name].numpy()
        weight_NC = np.where(weight_NC.sum(axis=0) > 0, weight_NC, 1.0)
        share_NC = weight_NC / weight_NC.sum(axis=0)
        return np.einsum("bnh,nc->bch", np.concatenate(seen), share_NC).astype(np.float32)

    victim = encoder_victim(
        learner.encoder, columns, times_B, learned, EFFORT, seed, released, forecast
    )
    return check_victim(name, victim)


def _forecast(
    party: Party, name: str, learner: AgencyLearner, trained: TrainedVertical, origins_B: Ints
) -> Floats:
    """As its readers see it, in each place's own scale, (B, N, H)."""
    defences, inputs = learner.settings.defences, party.inputs
    times_B = release_times(party.panel.time_T[origins_B], defences)
    raw = learner.encode(times_B)
    sent_BCD = release_stream(raw.vectors_BCD, raw.known_BC, times_B, defences, _KEY)
    found = trained.forecast(inputs.samples(origins_B), {name: DeepBatch(sent_BCD, raw.known_BC)})
    return np.asarray((found - inputs.mean_N1) / inputs.spread_N1)


def _quiet(_round: int) -> None:
    pass
