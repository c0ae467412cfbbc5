"""A little map for vertical training: a party that an agency of its city can help."""

import numpy as np
from little_map import LittleMap, flows, service

from deepcity.maps.city_map import load_map
from deepcity.store.release_ledger.lines import entry_of, read_lines

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


DEEP = """
[[grant]]
name = "weather-deep"
agency = "weather"
item = "deep_data"
grantee = ["{city}"]
domain = "resources"
service = "water"
purpose = "water"
lowest = "h3"
highest = "h5"
until = {until}
{more}
"""

LAYERS = """
[[grant]]
name = "weather-layers"
agency = "weather"
item = "layers"
grantee = ["east", "west"]
domain = "resources"
service = "water"
purpose = "water"
lowest = "h1"
highest = "{highest}"
until = 2999-12-31
{more}
"""


def deep_grant(city="east", until="2999-12-31", more="", leakage='leakage = "any"'):
    """What a weather office of these maps grants of its deep data: whatever they leak."""
    bounded = "max_stream_r2" in more or "leakage" in more
    more = more if bounded else f"{more}\n{leakage}"
    return DEEP.format(city=city, until=until, more=more)


def layers_grant(highest="h5", more=""):
    """What it grants of its encoder's layers."""
    return LAYERS.format(highest=highest, more=more)


def name_policy(folder, city, grants):
    """Have a city of a written map name a policy with these grants."""
    path = folder / f"{city}.toml"
    text = path.read_text(encoding="utf-8")
    if "policy =" not in text:
        path.write_text(f'policy = "{city}-policy.toml"\n{text}', encoding="utf-8")
    (folder / f"{city}-policy.toml").write_text(grants, encoding="utf-8")


def released(site):
    """The entries of a site's ledger."""
    found = [line.data for line in read_lines(site / "releases.jsonl") if not line.is_head]
    return [entry_of(data).release for data in found]
