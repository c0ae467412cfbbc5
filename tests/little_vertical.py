"""A little map for vertical training: a party that an agency of its city can help."""

import numpy as np
from little_map import LittleMap, flows, service

from deepcity.maps.city_map import load_map

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


def quick_map(folder, *, more="pretrain_steps = 8", rounds=3, pooled=False, **how):
    """A map whose training takes moments."""
    folder.mkdir(parents=True, exist_ok=True)
    path = little(folder, more="pretrain_steps = 1", rounds=rounds, **how)
    text = path.read_text(encoding="utf-8").replace("pretrain_steps = 40\npretrain_steps = 1", more)
    text = text.replace("local_steps = 20", "local_steps = 3")
    quick = f"automatic = false\npooled = {str(pooled).lower()}\n[service.window]"
    path.write_text(text.replace("[service.window]", quick), encoding="utf-8")
    return load_map(path)
