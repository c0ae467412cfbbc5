"""Lines of a log are bounded by kind, and those left out are counted."""

import logging

from deepcity.web.server.log_rate import LogRate


def record(text, *values, name="server"):
    return logging.LogRecord(name, logging.WARNING, "", 0, text, values, None)


def test_some_of_a_kind_pass_a_minute_and_the_rest_are_counted():
    now = [0.0]
    rate = LogRate(3, lambda: now[0])
    passed = [rate.filter(record("refused %s", number)) for number in range(1000)]
    assert passed == [True] * 3 + [False] * 997
    assert rate.filter(record("another"))
    assert rate.filter(record("refused %s", 1, name="other"))
    now[0] = 61
    first = record("refused %s", "again")
    assert rate.filter(first)
    assert first.getMessage() == "refused again (997 more like it were left out)"
    second = record("refused %s", 2)
    assert rate.filter(second)
    assert second.getMessage() == "refused 2"


def test_kinds_without_number_take_bounded_memory():
    rate = LogRate(1)
    for number in range(10_000):
        rate.filter(record(f"kind {number}"))
    assert len(rate._kinds) <= 200
