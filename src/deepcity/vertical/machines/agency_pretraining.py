"""An agency's part in pretraining encoders with equal agencies of other cities, between machines.

The coordinator leads these rounds as it leads those of networks; the messages are those of
`deepcity.vertical.encoder_party`, and at the end

    finish   the encoder is kept as it is, and the application may go on with it

Until when its rows are learned from, the application that opened it sets. Rounds that were broken
off begin anew: they are few, and give the same again.
"""

from dataclasses import dataclass, field

from deepcity.city.errors import ExchangeError, GrantError
from deepcity.exchange.exchange import COORDINATOR, Handler
from deepcity.exchange.grant_guard import details_stay
from deepcity.exchange.message import Message
from deepcity.exchange.party import FINISH, JOIN
from deepcity.vertical.machines.agency import MachineAgency
from deepcity.vertical.pretraining import pretraining_steps


@dataclass
class AgencyPretraining:
    """Answers the coordinator for one agency's encoder.

    Attributes:
        agency: which an application of its city has opened.
    """

    agency: MachineAgency
    _party: Handler | None = field(default=None, repr=False)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message; what is wrong with records stays in the agency's own log.

        Raises:
            ExchangeError: if the caller is not the coordinator, the agency was not opened, is not
                pretrained with others, or did not join; if the verb or its layers are wrong; or
                if its city's policy does not let its layers leave.
        """
        if caller != COORDINATOR:
            raise ExchangeError(f"{caller} may not call {message.verb!r}; only {COORDINATOR} may")
        with self.agency.one_at_a_time, details_stay(self.agency.name, message.verb, ExchangeError):
            if message.verb == JOIN:
                vertical = self.agency.service.settings.vertical
                assert vertical is not None
                site, equals = self.agency.opened_anew(), self.agency.equals
                assert equals is not None  # else it would not have been opened anew
                steps = pretraining_steps(vertical)
                self._party = site.pretraining_party(vertical.reuse_level, steps, equals)
            if self._party is None:
                raise ExchangeError(f"{message.verb!r} before {JOIN!r}")
            if message.verb != FINISH:
                try:
                    return self._party.handle(message, caller)
                except GrantError as error:
                    raise ExchangeError(str(error)) from None
            self.agency.keep_pretrained()
            self._party = None
            return Message(FINISH)
