"""A town whose city file names a policy, with the files beside it."""

from pathlib import Path

CITY = """
policy = "policy.toml"
name = "town"
title = { en = "Town", ko = "마을" }
[clock]
time_zone = "Asia/Seoul"
step = "1h"
[[source]]
name = "flows"
format = "csv"
path = "flows.csv"
time = { column = "time" }
[[agency]]
name = "water"
title = { en = "Water", ko = "수도" }
domain = "resources"
places = [{ id = "a" }]
[[agency.fields]]
name = "flow"
kind = "flow"
unit = "L/s"
source = "flows"
"""

GRANT = """
[[grant]]
name = "water-layers"
agency = "water"
item = "layers"
grantee = ["town", "harbour"]
domain = "resources"
service = "demand"
purpose = "water demand forecast"
lowest = "h1"
highest = "h5"
until = 2999-12-31
max_stream_r2 = 0.4
least_k = 3
"""

DEEP_GRANT = """
[[grant]]
name = "water-deep"
agency = "water"
item = "deep_data"
grantee = ["town"]
domain = "resources"
service = "demand"
purpose = "수요 예측"
lowest = "h3"
highest = "h5"
until = 2999-12-31
cadence = "1h"
keep_days = 30
"""

RULES = '@id("no-harbour")\nforbid (principal == DeepCity::City::"harbour", action, resource);\n'


def policy_town(folder: Path, grants: str = GRANT + DEEP_GRANT, rules: str | None = None) -> Path:
    """Write the town's files; returns the city file."""
    head = "" if rules is None else 'rules = "policy.cedar"\n'
    if rules is not None:
        (folder / "policy.cedar").write_text(rules, encoding="utf-8")
    (folder / "policy.toml").write_text(head + grants, encoding="utf-8")
    (folder / "town.toml").write_text(CITY, encoding="utf-8")
    return folder / "town.toml"
