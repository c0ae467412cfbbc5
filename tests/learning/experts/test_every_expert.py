"""Every expert in the folder keeps the contract, whichever file it stands in."""

import expert_contract as contract
import pytest
from experts_of_a_town import town

from deepcity.learning.experts.expert import expert_of, experts, not_installed

KINDS = sorted(experts())


@pytest.fixture(scope="module")
def data():
    return town()


@pytest.fixture(scope="module", params=KINDS)
def expert(request, data):
    lacking = not_installed(experts()[request.param])
    if lacking:
        pytest.skip(lacking)
    return expert_of(request.param).fit(data)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_every_expert_keeps_the_contract(check, expert, data):
    check(expert, data)
