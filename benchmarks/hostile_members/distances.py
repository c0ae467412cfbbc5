"""How far honest updates lie from each other, in usual distances, by round.

    python -m benchmarks.hostile_members.distances [--sets towns,crime,people,ferrara] [--seed 0]

The limit beyond which an update is set aside (`deepcity.exchange.trust.far_updates`) rests on this:
the greatest of each round, of layers that parties were sent, and of the head of the first round.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from benchmarks.hostile_members.towns import service as towns_service
from benchmarks.hostile_members.towns import town
from benchmarks.joining.cases import service_of
from deepcity.city.level import MAX_LEVEL
from deepcity.exchange.exchange import Exchange, Failure, answers
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import TRAIN
from deepcity.exchange.rounds import learn_together
from deepcity.exchange.shape_groups import Groups
from deepcity.exchange.trust.far_updates import distances
from deepcity.intercity.method import Method
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import Party, parties_of
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of

TOWNS, MEMBERS = "towns", 10


@dataclass(frozen=True)
class Measured:
    """An exchange that measures every round's updates as they pass.

    Attributes:
        ratios: by round: the greatest, and whose it is; `begun` of layers that no party was sent.
    """

    inner: Exchange
    groups: Groups
    ratios: list[tuple[float, str]] = field(default_factory=list)
    begun: list[tuple[float, str]] = field(default_factory=list)

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of the parties that can be called."""
        return self.inner.parties

    def call(self, party: str, message: Message) -> Message:
        """Ask one party."""
        return self.inner.call(party, message)

    def call_group(self, messages: Mapping[str, Message]) -> Mapping[str, Message | Failure]:
        """Ask several parties, and measure what they send after training."""
        replies = self.inner.call_group(messages)
        if any(message.verb == TRAIN for message in messages.values()):
            updates = {party: reply.layers for party, reply in answers(replies).items()}
            sent = {party: message.layers for party, message in messages.items()}
            for common, kept in ((True, self.ratios), (False, self.begun)):
                found = distances(updates, sent, self.groups, sent=common)
                if found:
                    kept.append(max((one.ratio, party) for party, one in found.items()))
        return replies


def honest(settings: ServiceSettings, parties: Sequence[Party], seed: int) -> Measured:
    """The joint training of honest parties, measured."""
    sites = [Site(settings, party, seed) for party in parties]
    run = ServiceRun(settings, profiles_of(sites), seed)
    method = Method("joined", {site.name: MAX_LEVEL for site in sites})
    handlers = {site.name: site.join(run.task(method, site.name)) for site in sites}
    plain = InProcessExchange(handlers, precision=settings.wire.precision)
    found = Measured(plain, run.groups)
    learn_together(found, replace(run.plan(method), farthest=None))
    return found


def main() -> None:
    """Print the greatest ratio of each round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", default="towns,crime,people,ferrara")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.sets.split(","):
        of = towns_service() if name == TOWNS else service_of(name)
        parties = (
            [town(of, number, asked.seed) for number in range(MEMBERS)]
            if name == TOWNS
            else parties_of(of)
        )
        found = honest(of.settings, parties, asked.seed)
        rows = [party.data.rows for party in parties]
        print(f"{name}: {len(parties)} parties with {min(rows):,} to {max(rows):,} rows")
        for title, ratios in (("sent", found.ratios), ("begun with by themselves", found.begun)):
            if ratios:
                worst, party = max(ratios)
                by_round = ", ".join(f"{ratio:.2f}" for ratio, _ in ratios)
                print(f"  {title}: {by_round}; greatest {worst:.2f} ({party})", flush=True)


if __name__ == "__main__":
    main()
