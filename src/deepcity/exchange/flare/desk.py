"""A site's desk: it reads a call's bytes, checks who asks, lets the party answer, and writes bytes.

It knows nothing of the engine; `deepcity.exchange.flare.engine` brings the bytes and the caller.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from deepcity.city.errors import DeepCityError, ExchangeError
from deepcity.exchange.exchange import COORDINATOR, Handler
from deepcity.exchange.flare.access import CallAccess
from deepcity.exchange.flare.link import ANSWER, FAILED, MOST_BYTES, REFUSED
from deepcity.exchange.flare.task import (
    AGENCY_METHOD,
    LEDGER_METHOD,
    PRETRAINING_METHOD,
    CallTask,
    check_version,
    site_of,
    task_from,
)
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.exchange.precision import Precision, lower_precision, restore_precision

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartyDesk:
    """One party of a site.

    Attributes:
        access: what it allows whom.
        opened: the handler of a training; it may read records, so it is called when first asked.
        precision: of layers in its answers, by service; float32 where none is given.
        ledger: bytes of the calls that the party itself makes.
    """

    access: CallAccess
    opened: Callable[[CallTask], Handler]
    precision: Mapping[str, Precision] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)


@dataclass
class Desk:
    """All parties of a site.

    Attributes:
        parties: by name.
        sites: names of all sites; each speaks for the parties that it is nearest to.
        agencies: by name; parties as agencies that send activations to an application.
        pretraining: by name; these, where encoders are pretrained with those of other cities.
        heads: by name; parties and agencies whose ledgers' heads are handed round.
    """

    parties: Mapping[str, PartyDesk]
    sites: tuple[str, ...] = ()
    agencies: Mapping[str, PartyDesk] = field(default_factory=dict)
    pretraining: Mapping[str, PartyDesk] = field(default_factory=dict)
    heads: Mapping[str, PartyDesk] = field(default_factory=dict)
    _leading: Lock = field(default_factory=Lock)

    def answer(self, task: str, blob: bytes, site: str) -> dict[str, Any]:
        """Answer one call; never raises.

        The coordinator's calls are answered one at a time: one that came too late for it is done
        before the next begins. Heads of ledgers wait for no training.

        Args:
            task: `CallTask` as JSON.
            blob: a `Message`'s bytes.
            site: the true caller: `COORDINATOR`, or a site's name.

        Returns:
            the fields of a `Reply`; an answer, or why there is none.
        """
        try:
            wanted = task_from(task)
            check_version(wanted)
            party = self._party(wanted)
            leads = site == COORDINATOR and wanted.method != LEDGER_METHOD
            with self._leading if leads else nullcontext():
                return self._answer(party, wanted, blob, site)
        except DeepCityError as error:
            return reply_fields(REFUSED, str(error))

    def _party(self, task: CallTask) -> PartyDesk:
        apart = {
            AGENCY_METHOD: self.agencies,
            PRETRAINING_METHOD: self.pretraining,
            LEDGER_METHOD: self.heads,
        }
        parties = apart.get(task.method, self.parties)
        if task.party not in parties:
            raise ExchangeError(f"no party {task.party!r} here")
        return parties[task.party]

    def _answer(self, party: PartyDesk, task: CallTask, blob: bytes, site: str) -> dict[str, Any]:
        verb = "?"
        try:
            caller = self._caller(task, site)
            if len(blob) > MOST_BYTES:
                raise ExchangeError(f"a message of {len(blob):,} bytes; at most {MOST_BYTES:,}")
            message = restore_precision(from_bytes(blob))
            verb = message.verb
            party.access.check(task, message, site)
            answer = _opened(party, task).handle(message, caller)
            if not isinstance(answer, Message):
                kind = type(answer).__name__
                return reply_fields(
                    FAILED, f"it answered with a {kind}; it must return a Message", party
                )
            party.access.done(task, message)
            precision = party.precision.get(task.service, "float32")
            sent = to_bytes(lower_precision(answer, precision))
            return reply_fields(ANSWER, "", party, sent)
        except DeepCityError as error:
            _log.info("%s refused %r of %s: %s", task.party, verb, site, error)
            return reply_fields(REFUSED, str(error), party)
        except Exception as error:
            _log.warning("%s failed at %r", task.party, verb, exc_info=True)
            return reply_fields(FAILED, f"{type(error).__name__}: {error}", party)

    def _caller(self, task: CallTask, site: str) -> str:
        """The party that asks; a site may speak for its own parties only."""
        if site == COORDINATOR:
            return COORDINATOR
        if task.caller and site_of(task.caller, self.sites) != site:
            raise ExchangeError(f"site {site!r} may not speak for {task.caller!r}")
        return task.caller or site


def _opened(party: PartyDesk, task: CallTask) -> Handler:
    """The handler of a training; what is wrong with a site's records stays in its own log.

    Raises:
        ExchangeError: that it cannot take part.
    """
    try:
        return party.opened(task)
    except ExchangeError:
        raise
    except Exception as error:
        _log.warning("%s cannot take part in %r", task.party, task.service, exc_info=True)
        kind = type(error).__name__
        raise ExchangeError(f"it cannot take part ({kind}); see engine.log at the site") from None


def reply_fields(
    kind: str, text: str, party: PartyDesk | None = None, blob: bytes = b""
) -> dict[str, Any]:
    """The fields of a `Reply`, as the engine carries them."""
    counts = party.ledger.take() if party is not None else []
    return {"kind": kind, "text": text, "blob": blob, "counts": counts}
