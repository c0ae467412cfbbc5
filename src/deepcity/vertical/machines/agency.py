"""An agency's end of vertical training between machines, for one application of its city.

Verbs beside those of `deepcity.vertical.agency_party`:

    open   what an agency must know of the training (`AgencyTerms`); it reads its own records,
           pretrains its encoder, or loads it as pretrained in an earlier lease, and answers
           with its cells and the size of its records. Where the map has encoders pretrained
           together, it waits for that (`deepcity.vertical.machines.agency_pretraining`)
    close  the training is done: its checkpoints are deleted

All that it keeps lies in its own site's folder, as in a run in one process.
"""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from deepcity import __version__
from deepcity.city.errors import ExchangeError, GrantError
from deepcity.data.city_file import CityFile
from deepcity.data.panel import records_digest
from deepcity.exchange.grant_guard import details_stay
from deepcity.exchange.message import Message
from deepcity.exchange.vertical.names import (
    AGENCY_VERBS,
    CELLS,
    CLOSE,
    FORWARD,
    HORIZON_S,
    OPEN,
    RECORD_BYTES,
    UNTIL_S,
)
from deepcity.maps.city_map import Service
from deepcity.maps.vertical_settings import FeaturePartySettings
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.result_bounds import FIRST_S, LAST_S
from deepcity.store.run_folder import site_folder
from deepcity.vertical.agency_setup import AgencyTerms, build_agency
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.machines.agency_bounds import AgencyBounds, LeaseBounds, whole
from deepcity.vertical.pretraining import EqualAgencies, group_of

_ENCODER = "encoder"
_LONGEST_HORIZON_S = 366 * 86_400


def plain_name(name: str) -> str:
    """A party's name without characters that file names may not have."""
    return name.replace("/", "-").replace(":", "-")


@dataclass
class MachineAgency:
    """Answers one application for one agency, on the agency's own machine.

    Attributes:
        application: name of the party whose application it is; the only caller that is answered.
        fingerprint: of the agency's own copy of the map.
        home: folder of the map file.
        run: the folder of the site's runs.
        one_at_a_time: held while it answers; agencies of one machine share random numbers.
        key: file of the key that signs its ledger; None: in its folder.
    """

    service: Service
    city: CityFile
    feature_party: FeaturePartySettings
    application: str
    seed: int
    fingerprint: str
    home: Path
    run: Path
    one_at_a_time: AbstractContextManager[object]
    key: Path | None = None
    _terms: AgencyTerms | None = None
    _site: AgencySite | None = field(default=None, repr=False)
    _bounds: AgencyBounds | None = field(default=None, repr=False)
    _lease: LeaseBounds = field(init=False, repr=False)
    _waits: bool = field(default=False, repr=False)  # for its encoder to be pretrained
    _untrained: bool = field(default=False, repr=False)
    _met: bool = field(default=False, repr=False)  # its application trains with it

    def __post_init__(self) -> None:
        vertical = self.service.settings.vertical
        assert vertical is not None
        self._lease = LeaseBounds(self.service.settings.training, vertical.modes)

    @property
    def name(self) -> str:
        """The agency's name with its city's."""
        return f"{self.city.city.name}/{self.feature_party.agency}"

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; what is wrong with records stays in the agency's own log.

        Raises:
            ExchangeError: if the caller is not the application, the verb is unknown, the map or a
                grant do not allow it, or it failed.
        """
        if caller != self.application or message.verb not in AGENCY_VERBS:
            raise ExchangeError(
                f"{caller} may not call {message.verb!r}; {self.application} may call "
                f"{', '.join(AGENCY_VERBS)}"
            )
        with self.one_at_a_time, details_stay(self.name, message.verb, ExchangeError):
            if message.verb == OPEN:
                return self._open(message)
            if self._site is None or self._bounds is None:
                raise ExchangeError(f"{message.verb!r} before {OPEN!r}")
            if message.verb == CLOSE:
                return self._close(self._site)
            if self._waits:
                raise ExchangeError(
                    f"{message.verb!r} before {self.name} was pretrained with its equals of other "
                    f"cities, as reuse_level asks"
                )
            self._bounds.check(message)
            if message.verb == FORWARD:
                self._lease.forward()
            self._met = True
            try:
                answer = self._site.handle(message, caller)
            except GrantError as error:
                raise ExchangeError(str(error)) from None
            self._bounds.done(message)
            return answer

    def _open(self, message: Message) -> Message:
        until = whole(message, UNTIL_S, FIRST_S, LAST_S)
        terms = AgencyTerms(until, whole(message, HORIZON_S, 1, _LONGEST_HORIZON_S))
        if self._site is None or terms != self._terms:
            self._lease.build()
            self._site = self._built(terms)
            self._terms = terms
        vertical, columns = self.service.settings.vertical, self._site.learner.columns
        assert vertical is not None
        self._bounds = AgencyBounds(
            self.service.settings.training,
            vertical.modes,
            len(columns.cells.cell_C) * columns.width,
        )
        numbers = {RECORD_BYTES: float(self._site.raw_bytes)}
        return Message(OPEN, numbers, {CELLS: {CELLS: columns.cells.cell_C}})  # type: ignore[dict-item]

    def _built(self, terms: AgencyTerms) -> AgencySite:
        """The agency with its encoder pretrained."""
        site, panel = build_agency(
            self.service,
            self.city,
            self.feature_party,
            terms,
            self.seed,
            self.home,
            self.application,
        )
        site.answers.application = self.application
        records = records_digest([(self.name, panel)])
        what = f"{self.fingerprint}/{self.seed}/{__version__}/{self.service.settings.name}"
        whole_name = f"{what}/{self.application}/{terms}/{records}"
        digest = hashlib.sha256(whole_name.encode()).hexdigest()[:12]
        folder = site_folder(self.run, self.name)
        own_packages = Path("packages") / site_folder(Path(), self.application).name
        checkpoints = f"{plain_name(self.application)}-{digest}"
        site.use_folder(folder, checkpoints, own_packages, self.key)
        self._pretrain(site)
        return site

    def opened_anew(self) -> AgencySite:
        """Its site with an encoder that nothing has trained, for pretraining with others.

        Raises:
            ExchangeError: if its application has not opened it, or trains with it already; or if
                the map has it pretrain with no others.
        """
        if self._site is None or self._terms is None:
            raise ExchangeError(f"{self.application} has not opened {self.name} yet")
        if self._met:
            raise ExchangeError(f"{self.application} trains with {self.name} already")
        if self.equals is None:
            raise ExchangeError(f"{self.name} is pretrained with no others in its own map")
        if not self._untrained:
            store, name = _pretrained(self._site)
            store.forget(name)
            self._site = self._built(self._terms)
        self._untrained = False
        return self._site

    def keep_pretrained(self) -> None:
        """Keep the encoder as it is, for this lease and later ones; it waits no more."""
        if self._site is not None:
            self._keep(self._site)
            self._waits = False

    def _pretrain(self, site: AgencySite) -> None:
        """Pretrain the encoder, or load it as pretrained in an earlier lease."""
        store, name = _pretrained(site)
        kept = store.load_latest(name)
        self._waits = self._untrained = kept is None and self.equals is not None
        if kept is not None:
            site.learner.restore(kept.arrays[_ENCODER], -1)
        elif not site.pretrained and not self._waits:
            site.pretrain(self.seed)
            self._keep(site)

    @property
    def equals(self) -> EqualAgencies | None:
        """With whom its encoder is pretrained, by its own map; None: with nobody."""
        vertical = self.service.settings.vertical
        assert vertical is not None
        parties = [one.name for one in self.service.members]
        return group_of(vertical, parties, self.application, self.feature_party)

    def _keep(self, site: AgencySite) -> None:
        store, name = _pretrained(site)
        store.folder.mkdir(parents=True, exist_ok=True)
        store.save(name, 0, {_ENCODER: site.learner.state(-1)}, {})

    def _close(self, site: AgencySite) -> Message:
        site.drop_checkpoints()
        self._site, self._terms, self._bounds, self._met = None, None, None, False
        return Message(CLOSE)


def _pretrained(site: AgencySite) -> tuple[CheckpointStore, str]:
    """Where the encoder is kept as pretrained, and under which name."""
    store = site.answers.checkpoints
    assert isinstance(store, CheckpointStore)
    return store, f"{site.answers.name}.pretrained"
