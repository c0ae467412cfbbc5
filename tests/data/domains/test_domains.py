"""Every domain in the folder keeps the contract; a city file names one of them."""

import domain_contract as contract
import pytest

from deepcity.city.errors import ConfigError
from deepcity.data.city_file import load_city
from deepcity.data.domains import PAPER, domains

pytest_plugins = ["towns"]


def test_the_five_of_the_paper_come_first():
    assert PAPER == ("life", "resources", "cctv", "transport", "environment")
    assert tuple(domains())[:5] == PAPER


@pytest.mark.parametrize("name", domains())
def test_every_domain_keeps_the_contract(name):
    contract.check(domains()[name])


def test_an_unknown_domain_is_refused_with_what_may_be_meant(town):
    path = town("time,a,b\n2024-05-01 00:00,1,2\n").path
    path.write_text(path.read_text().replace('"resources"', '"resource"'))
    with pytest.raises(ConfigError, match=r"domain = 'resource'.*Did you mean 'resources'\?"):
        load_city(path)
