"""Every service in the folder keeps the contract."""

import importlib
import pkgutil
import re

import numpy as np
import pytest

import deepcity.applications
from deepcity.applications.application import Application, applications
from deepcity.city.agency import DomainName
from deepcity.city.units import check_unit
from deepcity.data.domains import domains


@pytest.mark.parametrize("name", sorted(applications()))
def test_every_application_keeps_the_contract(name):
    application = applications()[name]
    assert isinstance(application, Application)
    assert application.name == name
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    module = importlib.import_module(f"deepcity.applications.{name.replace('-', '_')}")
    assert module.__doc__
    assert "?" in module.__doc__
    for words in (application.title, application.question, application.decision):
        assert words.en.strip()
        assert re.search("[가-힣]", words.ko)
    assert application.question.en.endswith("?")
    assert application.decision.en.endswith(".")
    assert application.kinds
    assert len(set(application.kinds)) == len(application.kinds)
    assert application.domains
    assert all(isinstance(domain, DomainName) for domain in application.domains)
    assert 0 < application.horizon_hours <= 24 * 14
    check_unit(application.unit, application.kinds[0])
    truth = np.array([[[1.0, 200.0, np.nan]]], np.float32)
    worse = np.array([[[150.0, 2.0, 3.0]]], np.float32)
    assert application.metric.error(truth, truth) == 0
    assert application.metric.error(worse, truth) > 0
    assert application.metric.name


def test_every_application_can_be_served_by_a_domain_it_reads():
    known = domains()
    for application in applications().values():
        served = {kind for name in application.domains for kind in known[name].kinds}
        assert set(application.kinds) <= served, application.name


def test_the_folder_is_the_registry():
    files = {module.name for module in pkgutil.iter_modules(deepcity.applications.__path__)}
    assert files - {"application", "metric"} == {name.replace("-", "_") for name in applications()}
