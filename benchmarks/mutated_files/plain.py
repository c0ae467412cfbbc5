"""Files of text that parties hand each other: ledgers, heads, proofs, grants and trust lists."""

import json
import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_town import policy_town
from release_ledgers import filled, key_of

from benchmarks.damaged_files import damaged
from benchmarks.mutated_files.mutations import of_json
from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import load_city
from deepcity.maps.city_policy import policy_origin, read_policy
from deepcity.store.blob import BlobError, canonical_json
from deepcity.store.release_ledger.heads import HeadSheet
from deepcity.store.release_ledger.proof import ReleaseProof, head_sheet, prove_release
from deepcity.store.release_ledger.sheets import read_sheet, write_sheet
from deepcity.store.release_ledger.verify import KnownHead, check_ledger
from deepcity.store.signatures.trust_list import TRUST_LIST, TrustedKey, TrustList, read_trust_list


class RefusedError(DeepCityError):
    """A check that reports what is wrong, and raises nothing."""


@dataclass(frozen=True)
class TextKind:
    """A kind of text file.

    Attributes:
        may_change: another content may be as right: nobody signs it.
    """

    name: str
    whole: Path
    mutate: Callable[[str, random.Random], str]
    use: Callable[[Path], str]
    may_change: bool = False

    def mutated(self, folder: Path, draw: random.Random) -> Path:
        """Write a mutated file beside what it needs."""
        for beside in self.whole.parent.iterdir():
            if beside.is_file():
                (folder / beside.name).write_bytes(beside.read_bytes())
        path, whole = folder / self.whole.name, self.whole.read_bytes()
        if draw.random() < 0.4:
            path.write_bytes(damaged(whole, draw)[1])
        else:
            path.write_text(self.mutate(whole.decode(), draw), "utf-8", "surrogatepass")
        return path


def text_kinds(folder: Path) -> list[TextKind]:
    """One of each kind."""
    ledgers, heads, proofs, city, keys = (
        folder / name for name in ("ledger", "head", "proof", "city", "keys")
    )
    for one in (ledgers, heads, proofs, city, keys):
        one.mkdir()
    ledger = filled(ledgers, (2, 3, 1, 4))
    sheet = head_sheet(ledger.path, [2, 5])
    known = KnownHead(sheet.head, "a neighbour")
    write_sheet(heads / "head.json", sheet)
    write_sheet(proofs / "proof.json", prove_release(ledger.path, 3, sheet))
    trusted = TrustList(trusted=(TrustedKey(name="ferrara", key="ab" * 32),))
    (keys / TRUST_LIST).write_text(trusted.model_dump_json())
    policy_town(city)
    (city / "flows.csv").write_text("time,flow\n2024-01-01 00:00,1\n")
    owner = {key_of("north/water").public_key().public_bytes_raw().hex()}
    return [
        TextKind("ledger", ledger.path, _of_lines, lambda path: _ledger(path, known, owner)),
        TextKind("head", heads / "head.json", _of_value, _head),
        TextKind("proof", proofs / "proof.json", _of_value, _proof),
        TextKind("grants", city / "policy.toml", _of_grants, _grants, may_change=True),
        TextKind("trust list", keys / TRUST_LIST, _of_value, _trust, may_change=True),
    ]


def _of_value(text: str, draw: random.Random) -> str:
    mutated = of_json(json.loads(text), draw)
    try:
        return canonical_json(mutated) + "\n"
    except BlobError:
        return json.dumps(mutated)


def _of_lines(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    at = draw.randrange(len(lines))
    how = draw.choice(("value", "value", "drop", "twice", "swap"))
    if how == "value":
        lines[at] = _of_value(lines[at], draw).removesuffix("\n")
    elif how == "drop":
        del lines[at]
    elif how == "twice":
        lines.insert(at, lines[at])
    else:
        other = draw.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines) + "\n"


def _of_grants(text: str, draw: random.Random) -> str:
    """A value of a grant in its place, as TOML that may be none."""
    grants = tomllib.loads(text)["grant"]
    key = draw.choice(list(draw.choice(grants)))
    lines = text.splitlines()
    places = [at for at, line in enumerate(lines) if line.startswith(f"{key} = ")]
    wrong = of_json({key: 0}, draw)
    if places:
        lines[draw.choice(places)] = f"{key} = {json.dumps(wrong.get(key, wrong))}"
    return "\n".join(lines) + "\n"


def _ledger(path: Path, known: KnownHead, keys: set[str]) -> str:
    found = check_ledger(path, [known], keys)
    if found.findings:
        raise RefusedError(str(found.findings[0]))
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if '"release"' in line)  # older heads may be left out


def _head(path: Path) -> str:
    sheet = read_sheet(path, HeadSheet)
    if faults := sheet.faults():
        raise RefusedError(faults[0])
    return sheet.head.model_dump_json()  # proofs and co-signatures may be left out


def _proof(path: Path) -> str:
    proof = read_sheet(path, ReleaseProof)
    if faults := proof.faults():
        raise RefusedError(faults[0])
    return proof.entry.model_dump_json()


def _grants(path: Path) -> str:
    origin = policy_origin(load_city(path.parent / "town.toml"))
    assert origin is not None
    found: Any = read_policy(origin)
    return str(found.grants)


def _trust(path: Path) -> str:
    return read_trust_list(path.parent).model_dump_json()
