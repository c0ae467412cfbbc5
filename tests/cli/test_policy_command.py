"""`deepcity policy`: grants in words, one decision explained, problems listed."""

import pytest
from policy_town import DEEP_GRANT, GRANT, RULES, policy_town
from typer.testing import CliRunner

from deepcity.city.errors import ConfigError
from deepcity.cli import app

ASKED = ("--agency", "water", "--service", "demand", "--purpose", "water demand forecast")


def _run(*words, code=0):
    found = CliRunner().invoke(app, ["policy", *map(str, words)], catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def test_check_counts_grants_and_names_the_rules(tmp_path):
    ended = DEEP_GRANT.replace("2999", "1999")
    assert "1 grants in force, 1 ended, 0 revoked; its own rules in policy.cedar" in _run(
        "check", policy_town(tmp_path, GRANT + ended, RULES)
    )


def test_check_lists_every_problem(tmp_path):
    path = policy_town(tmp_path, GRANT.replace('"resources"', '"transport"') + GRANT)
    with pytest.raises(ConfigError, match="2 problems"):
        _run("check", path)


def test_a_city_without_policy_is_told_how_to_name_one(tmp_path):
    path = policy_town(tmp_path)
    path.write_text(path.read_text().replace('policy = "policy.toml"', ""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r'Write policy = "policy\.toml"'):
        _run("check", path)


def test_grants_are_listed_in_both_languages_by_the_terms_of_both_laws(tmp_path):
    path = policy_town(tmp_path)
    english = _run("grants", path)
    for needed in (
        "water-layers: in force",
        "Purpose (GDPR 13(1)(c), PIPA 17(2)2): water demand forecast, for the service demand only",
        "Recipient (GDPR 13(1)(e), PIPA 17(2)1): town, harbour",
        "parameters of the layers h1 to h5 that town/water (resources) trained",
        "through 2999-12-31",
        "30 days here, then deleted; copies that readers made are theirs to delete",
        "measured leakage R² at most 0.4; only in sums of 3 or more",
        "at most once in 1h",
        "data protection officer",
    ):
        assert needed in english
    korean = _run("grants", path, "--language", "ko")
    for needed in (
        "제공받는 자",
        "이용 목적",
        "제공 항목",
        "보유 기간",
        "수요 예측",
        "여기서는 30일 뒤 삭제",
    ):
        assert needed in korean


def test_a_city_that_grants_nothing_says_so(tmp_path):
    assert "grants nothing" in _run("grants", policy_town(tmp_path, ""))


def test_explain_names_the_grant_or_every_reason(tmp_path):
    path = policy_town(tmp_path)
    allowed = _run("explain", path, *ASKED, "--to", "harbour", "--r2", 0.3, "--joined", 3)
    assert allowed == "Allowed by water-layers.\n"
    denied = _run("explain", path, *ASKED, "--to", "west", "--r2", 0.5, code=1)
    assert [line[:4] for line in denied.splitlines()] == ["Deni", "  - ", "  - ", "  - "]
    korean = _run("explain", path, *ASKED, "--to", "west", "--language", "ko", code=1)
    assert korean.startswith("거부됨:\n  - west는 허가 water-layers의 받는 자가 아닙니다")
    late = _run("explain", path, *ASKED, "--to", "town", "--at", "3000-01-01", code=1)
    assert "held until" in late


def test_explain_refuses_layers_that_there_are_not(tmp_path):
    path = policy_town(tmp_path)
    assert "h9" in _run("explain", path, *ASKED, "--to", "town", "--layers", "h1,h9", code=2)


def test_schema_is_printed():
    assert "namespace DeepCity" in _run("schema")
