"""A hub that is a site of the next one: it leads its own sites, and sends their mean up.

For the hub above it is one site, whose rows are the sum of its sites' and whose layers are their
weighted mean. A mean of means, each weighted by its rows, is the mean of all.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.level import layers_up_to
from deepcity.exchange.exchange import Exchange, answers, refuse_failures
from deepcity.exchange.fusion import fuse
from deepcity.exchange.message import Message
from deepcity.exchange.party import ERROR, JOIN, ROWS, TRAIN


@dataclass
class RegionalHub:
    """Answers the hub above for all sites of a region.

    Attributes:
        exchange: to its sites.
        level: that all of them share.
    """

    exchange: Exchange
    level: int

    def __post_init__(self):
        self.rows = {}

    def handle(self, message, caller):
        """Ask every site the same, and answer with the sum of rows, or the mean of layers."""
        replies = self.exchange.call_group(
            {
                site: Message(message.verb, message.numbers, message.layers)
                for site in self.exchange.parties
            }
        )
        refuse_failures(
            [one for one in replies.values() if not isinstance(one, Message)],
            "these sites of the region did not answer",
            "Ask again",
        )
        found = answers(replies)
        if message.verb == JOIN:
            self.rows = {site: one.numbers[ROWS] for site, one in found.items()}
            return Message(JOIN, {ROWS: sum(self.rows.values())})
        error = np.average(
            [one.numbers[ERROR] for one in found.values()], weights=[self.rows[s] for s in found]
        )
        if message.verb != TRAIN:
            return Message(message.verb, {ERROR: float(error)})
        updates = {site: one.layers for site, one in found.items()}
        levels = dict.fromkeys(updates, self.level)
        common = {
            site: {name: part for name, part in layers.items() if name in layers_up_to(self.level)}
            for site, layers in updates.items()
        }
        fused = fuse(common, self.rows, levels)
        return Message(TRAIN, {ERROR: float(error)}, {name: f.tensors for name, f in fused.items()})
