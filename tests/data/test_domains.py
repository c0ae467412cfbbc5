import pytest

from deepcity.city.agency import DomainName
from deepcity.data.domains import domains


def test_the_folder_holds_every_domain_and_no_other():
    assert set(domains()) == set(DomainName)


@pytest.mark.parametrize("name", DomainName)
def test_every_domain_keeps_the_contract(name):
    domain = domains()[name]
    assert domain.name is name
    assert domain.kinds
    for words in (domain.title, domain.purpose):
        assert words.en
        assert words.ko
    assert any("가" <= sign <= "힣" for sign in domain.purpose.ko)
    assert domain.purpose.ko.endswith("다.")
