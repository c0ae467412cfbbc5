"""How a table is read that no city file describes: as its first rows show."""

from pathlib import Path

from deepcity.data.check.draft_sample import read_sample
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import connector_for, connectors
from deepcity.data.errors import ReadError


def source_of(path: Path, key: str) -> SourceSettings:
    """Settings of a source for a file.

    Args:
        key: the option that names it, for messages.

    Raises:
        ReadError: if it is not there, of no known kind, or cannot be read.
    """
    connector = connector_for(path)
    if connector is None or not path.exists():
        known = ", ".join(one for found in connectors().values() for one in found.suffixes)
        reason = "no known kind of file" if path.exists() else "no such file"
        raise ReadError(key, str(path), reason, f"give a file of {known}")
    raw, _ = read_sample(path, connector)
    return connector.settings.model_validate(raw)
