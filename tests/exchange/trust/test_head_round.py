"""A site keeps every co-signature of its newest head, however many rounds hand it back at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from release_ledgers import OWNER, filled, key_of, release, witness

from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.exchange.trust.head_messages import COSIGNED
from deepcity.exchange.trust.head_party import OWN_HEAD, HeadParty
from deepcity.store.release_ledger.heads import HeadSheet, cosignature
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.sheets import read_sheet


@pytest.fixture
def site(tmp_path):
    return HeadParty(filled(tmp_path), witness(tmp_path), tmp_path)


def signed_by(sheet, *names):
    for name in names:
        sheet = sheet.with_cosignature(cosignature(sheet.head, name, 1, key_of(name)))
    return sheet


def hand_back(site, sheet):
    layers = {"sheets": {OWNER: np.frombuffer(sheet.to_line(), np.uint8)}}
    site.handle(Message(COSIGNED, {}, layers), COORDINATOR)


def kept(site):
    return read_sheet(site.folder / OWN_HEAD, HeadSheet)


def signers(site):
    return sorted(one.by for one in kept(site).cosignatures)


def test_co_signatures_of_rounds_at_once_are_all_kept(site):
    names = [f"city-{number}" for number in range(16)]
    sheets = [signed_by(head_sheet(site.ledger.path), name) for name in names]
    with ThreadPoolExecutor(8) as many:
        [*many.map(lambda sheet: hand_back(site, sheet), sheets)]
    assert signers(site) == sorted(names)


def test_an_older_head_does_not_come_back(site):
    old = signed_by(head_sheet(site.ledger.path), "south", "west")
    hand_back(site, old)
    site.ledger.record([release(6)])
    new = signed_by(head_sheet(site.ledger.path), "south")
    hand_back(site, new)
    assert (kept(site).head.head.size, signers(site)) == (7, ["south"])
    hand_back(site, old)
    assert (kept(site).head.head.size, signers(site)) == (7, ["south"])


def test_what_is_kept_and_damaged_is_replaced(site):
    (site.folder / OWN_HEAD).write_text("{")
    hand_back(site, signed_by(head_sheet(site.ledger.path), "south"))
    assert signers(site) == ["south"]
