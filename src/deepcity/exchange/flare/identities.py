"""Identities by which sites trust each other's keys, not the hub's word: one Ed25519 key a site.

By the same key a site signs the rows that it claims (`deepcity.exchange.trust.row_claims`).

KIT/local/identity.pem        its private key, made with its certificate; it never leaves the kit
KIT/local/identities.json     site -> public key (hex) of every site, as the operator wrote them
FEDERATION/identities.json    the same at the operator's, to hand to sites whose kits are elsewhere

They come into a kit over the channel that brings the kit. What the hub says of a site's key counts
for nothing: a hub that could name keys could open every secure sum.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.city.errors import CheckpointError
from deepcity.exchange.flare.task import site_of
from deepcity.store.atomic import write_atomic
from deepcity.store.signatures.ed25519 import public_hex, read_key, signing_key

IDENTITY, IDENTITIES = "identity.pem", "identities.json"
_KEY_BYTES = 32


def make_identity(kit: Path) -> str:
    """Make a site's identity in its kit; returns its public key in hexadecimal.

    One that is there is kept: others know it.
    """
    return public_hex(signing_key(kit / "local" / IDENTITY))


def publish_identities(
    folder: Path, kits: Mapping[str, Path], revoked: Collection[str] = ()
) -> None:
    """Note the identities of kits, and write all that are known into every kit that is here.

    Args:
        folder: the federation's.
        kits: site -> kit; one that is elsewhere is left out.
        revoked: sites that nobody is to trust any more.

    Raises:
        CheckpointError: if identities that were noted before cannot be read.
    """
    here = {site: kit for site, kit in kits.items() if kit.exists()}
    known = _noted(folder / IDENTITIES)
    known |= {site: make_identity(kit) for site, kit in here.items()}
    trusted = {site: known[site] for site in sorted(known) if site not in revoked}
    data = json.dumps(trusted, indent=1).encode()
    for path in (folder / IDENTITIES, *(kit / "local" / IDENTITIES for kit in here.values())):
        write_atomic(path, data)


def known_sites(folder: Path) -> frozenset[str]:
    """Sites of a federation that have an identity.

    Raises:
        CheckpointError: if identities cannot be read.
    """
    return frozenset(_noted(folder / IDENTITIES))


def sites_of_kit(kit: Path) -> frozenset[str]:
    """Sites that a kit knows; none where it was made before sites had identities.

    Raises:
        CheckpointError: if they cannot be read.
    """
    return frozenset(_noted(kit / "local" / IDENTITIES))


def read_identity(kit: Path) -> Ed25519PrivateKey:
    """The private key of a site.

    Raises:
        CheckpointError: if the kit has none, or it cannot be read.
    """
    path = kit / "local" / IDENTITY
    if not path.exists():
        raise CheckpointError(
            f"{path} is not there: this kit has no identity, without which no layer leaves in a "
            f"secure sum. Make the federation anew with this version of deepcity, or put the file "
            f"back"
        )
    return read_key(path)


def party_identities(kit: Path, parties: Iterable[str]) -> dict[str, bytes]:
    """Public keys of parties: that of the site that answers for each; those without are left out.

    Raises:
        CheckpointError: if the kit's identities cannot be read.
    """
    return _of_parties(_noted(kit / "local" / IDENTITIES), parties)


def noted_identities(folder: Path, parties: Iterable[str]) -> dict[str, bytes]:
    """The same as the operator of a federation's folder noted them.

    Raises:
        CheckpointError: if they cannot be read.
    """
    return _of_parties(_noted(folder / IDENTITIES), parties)


def _of_parties(known: Mapping[str, str], parties: Iterable[str]) -> dict[str, bytes]:
    owners = {party: site_of(party, known) for party in parties}
    return {party: bytes.fromhex(known[site]) for party, site in owners.items() if site is not None}


def _noted(path: Path) -> dict[str, str]:
    """Site -> public key; none where nothing was noted yet."""
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or not all(map(_is_key, found.values())):
            raise ValueError("it must hold 64 hexadecimal digits for each site")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Put back the operator's {IDENTITIES}"
        ) from error
    return found


def _is_key(value: object) -> bool:
    try:
        return isinstance(value, str) and len(bytes.fromhex(value)) == _KEY_BYTES
    except ValueError:
        return False
