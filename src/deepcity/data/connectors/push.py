"""Rows that other systems send to a running city: `POST /api/sources/AGENCY/SOURCE/rows`."""

from typing import Literal

from deepcity.data.feeds.kept_rows import FeedConnector
from deepcity.data.feeds.settings import FeedSettings


class PushSettings(FeedSettings):
    """Keys of a source whose rows are pushed: those of every feed."""

    format: Literal["push"] = "push"


CONNECTOR = FeedConnector(
    "push",
    PushSettings,
    "send rows while deepcity up runs: POST /api/sources/AGENCY/SOURCE/rows",
)
