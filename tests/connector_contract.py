"""What every connector must keep, as checks that raise AssertionError: ours and a newcomer's."""

import re
from pathlib import Path

import polars as pl
import pytest

from deepcity.data import connectors as folder_of_connectors
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import (
    Connector,
    connector_for,
    connectors,
    read_batches,
    read_columns,
    read_table,
)
from deepcity.data.errors import ReadError


def check_facts(connector: Connector) -> None:
    """Its name finds it, its settings name it, and its file extensions lead to it."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", connector.name), connector.name
    assert connectors()[connector.name] is connector
    assert connector.settings.model_fields["format"].default == connector.name
    for suffix in connector.suffixes:
        assert connector_for(Path(f"x{suffix.upper()}")) is connector


def check_batches(source: SourceSettings, folder: Path, size: int) -> None:
    """Some columns in another order, `size` rows at a time, are what the whole table holds."""
    whole = read_table(source, folder)
    assert read_columns(source, folder) == whole.frame.columns
    names = whole.frame.columns[::-1][:2]
    row, frames = whole.first_row, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_of_connectors, "BATCH_ROWS", size)
        for table in read_batches(source, folder, names):
            assert table.first_row == row
            assert table.frame.height <= size or source.format == "excel"
            row += table.frame.height
            frames.append(table.frame)
    assert pl.concat(frames).equals(whole.frame.select(names))


def check_absence(connector: Connector, source: SourceSettings, nowhere: Path) -> None:
    """Records that are not there are refused by setting, reason and next step.

    Args:
        nowhere: a folder without them.
    """
    for ask in (connector.check, connector.read, connector.columns):
        with pytest.raises(ReadError) as refused:
            ask(source, nowhere)
        assert refused.value.key in connector.settings.model_fields
        assert refused.value.reason
        assert refused.value.right
    with pytest.raises(ReadError):
        list(connector.batches(source, nowhere, ["time"]))


def check(connector: Connector, source: SourceSettings, folder: Path, nowhere: Path) -> None:
    """All of it, on a source of a table with at least two columns."""
    check_facts(connector)
    for size in (7, 1000):
        check_batches(source, folder, size)
    check_absence(connector, source, nowhere)
