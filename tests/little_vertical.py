"""A little map for vertical training: a party that an agency of its city can help."""

import numpy as np
from little_map import LittleMap, flows, service

MEETING = """
[service.vertical]
pretrain_steps = 40
{more}
[[service.vertical.agency]]
agency = "weather"
history = 4
ahead = 6
{agency}
"""


def little(folder, *, more="", agency="", cities=("east",), rounds=6, seed=0):
    """Each city has a water company whose flow follows its weather office's column."""
    town = LittleMap(folder)
    for number, city in enumerate(cities):
        rng = np.random.default_rng(seed + number)
        base = flows(days=40, places=2, seed=number, noise=0.1)
        weather = np.repeat(rng.normal(size=len(base) // 6), 6)[:, None]
        town.party(f"{city}/water", base + 3 * weather)
        town.party(f"{city}/weather", weather + 10)
    meeting = MEETING.format(more=more, agency=agency)
    text = service(levels=(), rounds=rounds, local_steps=20, more=meeting)
    town.write(text.replace('["*/*"]', '["*/water"]'))
    return town.path
