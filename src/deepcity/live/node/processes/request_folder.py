"""What a node hands to a process beside it, and what comes back, as files of one folder.

    FOLDER/request.json     what is to be done, and by when it was known
    FOLDER/AGENCY.npz       each agency's records by then
    FOLDER/events.json      what came of it; there once all of it is done

The folder takes its name once the request is whole, and is removed once the events are kept: one
that a node finds at its start is of work that was broken off.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.panel import Panel
from deepcity.live.node.records.panel_file import PanelFileError, read_panel, write_panel
from deepcity.store.atomic import write_atomic
from deepcity.store.events.event import EventDraft

_REQUEST, _EVENTS = "request.json", "events.json"
_DRAFTS = TypeAdapter(list[EventDraft])
_Request = TypeVar("_Request", bound=BaseModel)


@dataclass(frozen=True)
class RequestFolder:
    """A folder by which a node and a process beside it speak.

    Attributes:
        path: of it.
    """

    path: Path

    def write(self, request: BaseModel, panels: Mapping[str, Panel]) -> None:
        """Hand a request over: all of it or nothing.

        Raises:
            OSError: if it cannot be written; what was written is removed: the disk may be full.
        """
        half = self.path.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        try:
            half.mkdir(parents=True)
            for agency, panel in panels.items():
                write_panel(half / f"{agency}.npz", panel, {"agency": agency})
            write_atomic(half / _REQUEST, request.model_dump_json().encode())
            self.remove()
            half.rename(self.path)
        except OSError:
            shutil.rmtree(half, ignore_errors=True)
            raise

    def read(self, model: type[_Request]) -> _Request | None:
        """The request of a kind that was handed over; None: there is none that can be read."""
        try:
            return model.model_validate_json((self.path / _REQUEST).read_bytes())
        except (OSError, ValidationError):
            return None

    def known(self, _city_file: CityFile, agency: str) -> Panel:
        """An agency's records that were handed over, read anew at each call.

        Raises:
            DataError: if there are none, or they cannot be read.
        """
        try:
            return read_panel(self.path / f"{agency}.npz")[0]
        except FileNotFoundError as error:
            reason, right = "none have come yet", "see whether its source can be read"
            raise DataError([Problem(agency, "records", None, reason, right)]) from error
        except (OSError, PanelFileError) as error:
            right = "see whether the disk is well; the records are handed over anew tomorrow"
            raise DataError([Problem(agency, "records", None, str(error), right)]) from error

    def finish(self, drafts: list[EventDraft]) -> None:
        """Hand back what came of it."""
        write_atomic(self.path / _EVENTS, _DRAFTS.dump_json(drafts))

    def events(self) -> list[EventDraft] | None:
        """What came of it; None while that is not known."""
        try:
            return _DRAFTS.validate_json((self.path / _EVENTS).read_bytes())
        except (OSError, ValidationError):
            return None

    def remove(self) -> None:
        """Forget the request."""
        shutil.rmtree(self.path, ignore_errors=True)
