"""Tokens, requests and messages that were mutated are refused with a reason, and none is taken."""

import random

import pytest
from live_server import serving

from benchmarks.mutated_requests.__main__ import attempts
from benchmarks.mutated_requests.http_requests import request_kinds
from benchmarks.mutated_requests.messages import message_kinds
from benchmarks.mutated_requests.rooms import rooms
from benchmarks.mutated_requests.tokens import token_kinds

EACH = 40


@pytest.mark.parametrize("kinds", [token_kinds, message_kinds])
def test_no_mutated_token_or_message_is_taken_or_fails_without_a_name(kinds):
    known = kinds()
    counts, wrong = attempts(known, EACH * len(known), random.Random(3))
    assert not wrong
    refused = {name for (name, ending), _ in counts.items() if ending == "refused"}
    assert refused == {kind.name for kind in known}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # lines that were cut off
def test_no_mutated_request_is_taken_or_fails_without_a_name(town_trained, tmp_path):
    with rooms(town_trained, tmp_path) as opened, serving(opened.control.app) as address:
        known = request_kinds(opened, address.removeprefix("http://"))
        counts, wrong = attempts(known, EACH * len(known), random.Random(3))
    assert not wrong
    refused = {name for (name, ending), _ in counts.items() if ending == "refused"}
    assert refused == {kind.name for kind in known}
