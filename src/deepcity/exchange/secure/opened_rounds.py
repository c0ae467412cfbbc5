"""Which rounds a site has opened sums of, kept on its own disk.

A worker that starts anew must not open a sum a second time: the same layers in two sums with other
members would show the difference. No message of the coordinator resets this; nor may it name what
is counted, for the same training by another name has the same layers.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import CheckpointError
from deepcity.store.run_folder import write_file

NONE_OPENED = -1


@dataclass(frozen=True)
class OpenedRounds:
    """The newest round opened of one training, in a file for all of a site's; one writer.

    Attributes:
        training: as the site itself names it.
    """

    path: Path
    training: str

    def newest(self) -> int:
        """The newest round that was opened; -1 if none was.

        Raises:
            CheckpointError: if the file cannot be read; nothing may be opened then.
        """
        return self._read().get(self.training, NONE_OPENED)

    def note(self, number: int) -> None:
        """Note a round before it is opened.

        Raises:
            CheckpointError: if it cannot be written; the round must not be opened then.
        """
        found = self._read()
        found[self.training] = max(number, found.get(self.training, NONE_OPENED))
        write_file(self.path, json.dumps(found, indent=1).encode())

    def _read(self) -> dict[str, int]:
        try:
            found = json.loads(self.path.read_bytes())
            if not isinstance(found, dict) or not all(type(one) is int for one in found.values()):
                raise ValueError("it must hold a round for each training")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self.path} cannot be read: {error}. Without it nobody knows which sums were "
                f"opened: put back a copy, or begin anew with an empty run folder at every site"
            ) from error
        return found
