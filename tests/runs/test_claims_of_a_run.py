"""In a run in one process every party signs for its rows, in every training, with one key."""

import pytest
from little_map import service, three

from deepcity.city.errors import ExchangeError
from deepcity.maps.city_map import load_map
from deepcity.runs.outcome.claim_review import claim_notes, claim_problem
from deepcity.runs.outcome.round_records import RoundsFile, read_rounds
from deepcity.runs.run import run_map


def test_claims_of_all_trainings_hold_and_another_key_is_refused(tmp_path):
    text = service(levels=(2,), rounds=1, settings="automatic = false", grant="level = 2")
    city_map, folder = load_map(three(tmp_path).write(text)), tmp_path / "run"
    results = run_map(city_map, folder)
    records = read_rounds(folder)
    for name, record in records.items():
        assert [claim_problem(records, name, party) for party in record.levels] == [""] * len(
            record.levels
        )
        levels = {party: one.claim.level for party, one in record.claims.items()}
        assert levels == record.levels
    keys = RoundsFile(folder).keys()
    assert keys.keys() >= {party.name for party in results.services[0].parties}
    assert len(set(keys.values())) == len(keys)
    assert claim_notes(records, "water") == []
    for name in ("claims.pem", "releases.jsonl"):  # whose heads bear its key
        (folder / "sites" / "west.office" / name).unlink()
    for kept in folder.glob("*/**/water.level_2.*.checkpoint"):
        kept.unlink()  # so that all join anew
    with pytest.raises(ExchangeError, match=r"west/office: its claim of rows is signed with key"):
        run_map(city_map, folder)
