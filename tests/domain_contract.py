"""What every domain must keep, as a check that raises AssertionError: ours and a newcomer's."""

import re

from deepcity.city.agency import Agency
from deepcity.city.field import Field, Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.domains import Domain, domains


def check(domain: Domain) -> None:
    """Its name finds it, both languages say what it is for, and it warns of other kinds alone."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", domain.name), domain.name
    assert domains()[domain.name] is domain
    for words in (domain.title, domain.purpose):
        assert words.en.strip()
        assert words.ko.strip()
    assert re.search("[가-힣]", domain.purpose.ko)
    assert domain.purpose.ko.endswith("다.")
    assert isinstance(domain.sensitivity, Sensitivity)
    assert domain.kinds
    for kind in Kind:
        fields = (Field("one", kind, "1", domain.sensitivity),)
        agency = Agency("office", LocalizedText("Office", "사무소"), domain.name, (), fields)
        warned = [finding.where for finding in domain.find_warnings(agency)]
        assert warned == ([] if kind in domain.kinds else ["one"])
