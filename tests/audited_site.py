"""A little map whose cities name policies, and audits of its parties' networks."""

from little_map import three

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import AuditSubject, LearnedFrom, PartyAudit, WindowLeak
from deepcity.maps.city_map import load_map
from deepcity.parties.releases.layer_release import layer_release

GRANT = """
[[grant]]
name = "{agency}-layers"
agency = "{agency}"
item = "layers"
grantee = ["east", "west"]
domain = "resources"
service = "water"
purpose = "water"
lowest = "h1"
highest = "{highest}"
until = {until}
{more}
"""
AGENCIES = {"east": ("north", "south"), "west": ("office",)}


def grants(city, until="2999-12-31", more="", highest="head"):
    return "".join(
        GRANT.format(agency=one, until=until, more=more, highest=highest) for one in AGENCIES[city]
    )


def granting(
    folder, more="", *, highest="head", until="2999-12-31", cities=("east",), west=None, text=None
):
    """Three parties' map, whose cities grant layers.

    Args:
        more: further keys of the grants of "east".
        west: highest layer that "west" grants.
        text: of the map's services.
    """
    path = three(folder).write() if text is None else three(folder).write(text)
    for name in cities:
        city = folder / f"{name}.toml"
        city.write_text(f'policy = "{name}.policy.toml"\n' + city.read_text(), encoding="utf-8")
        found = (
            grants(name, until, more, highest)
            if name == "east"
            else grants(name, highest=west or "head")
        )
        (folder / f"{name}.policy.toml").write_text(found, encoding="utf-8")
    return path


def release_of(path, folder=None, party="east/north"):
    """The policy's check of a party's releases, its site's folder being this one."""
    service = load_map(path).services[0]
    member = next(one for one in service.members if one.name == party)
    return layer_release(service, member, folder)


def audit(folder, r2_by_layer, stream=24, party="east/north"):
    """An audit of a party's network, with these best figures."""
    folder.mkdir(parents=True, exist_ok=True)
    subject = AuditSubject(
        service="water",
        party=party,
        model="0" * 64,
        level=0,
        deep_width=None,
        field="flow",
        window_steps=6,
        step_s=3600,
    )
    leaks = [
        WindowLeak(
            layer=layer,
            stream=stream,
            learned_from=LearnedFrom.PERIOD,
            known=known,
            attacker="ridge",
            r2=r2 - 0.1 * (known == 0),
            r2_spread=None,
            r2_by_input=(),
            identified=0,
            gallery=1,
            windows=1,
        )
        for layer, r2 in r2_by_layer.items()
        for known in (0.0, 0.5)
    ]
    found = PartyAudit(
        version=VERSION, subject=subject, effort=EffortName.FAST, seed=0, windows=tuple(leaks)
    )
    save_audit(folder, party, found)
