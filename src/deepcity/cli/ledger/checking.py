"""What a check of ledgers, heads and proofs found, printed; and co-signing."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deepcity.city.errors import LedgerError
from deepcity.city.printable import printable
from deepcity.cli.ledger.listing import grant_text, leakage_text, text_of
from deepcity.runs.releases.files import cosign_sheet, evidence_file, read_any
from deepcity.runs.releases.review import LedgerReview, review_ledgers
from deepcity.store.release_ledger.heads import HeadSheet, Rewritten
from deepcity.store.release_ledger.proof import ReleaseProof
from deepcity.store.release_ledger.sheets import read_bytes, read_sheet, write_sheet
from deepcity.store.release_ledger.witness import RewrittenHistoryError, UnprovenHistoryError

out = Console(highlight=False, soft_wrap=True)
_EVIDENCE = "rewritten-{}.json"


def print_line(text: str, style: str = "") -> None:
    """Print a line; what others' files say cannot move the cursor."""
    out.print(printable(text), markup=False, style=style)


def verify_folder(
    folder: Path,
    heads: Collection[Path],
    identities: Path | None,
    evidence_folder: Path | None = None,
) -> bool:
    """Check every ledger in a folder; returns whether all of it fits.

    Args:
        evidence_folder: where evidence is written; None: beside the ledger.

    Raises:
        LedgerError: if there is none, a file cannot be read, or evidence not be written.
    """
    sheets = [read_sheet(path, HeadSheet) for path in heads]
    found = review_ledgers(folder, sheets, _keys(identities))
    for one in found:
        _print_review(one)
        for evidence in one.check.evidence:
            name = _EVIDENCE.format(evidence.later.head.root[:16])
            path = (evidence_folder or one.path.parent) / name
            write_sheet(path, evidence)
            print_line(f"  both heads are in {path}: evidence for other cities")
    return not any(one.check.findings for one in found)


def _print_review(one: LedgerReview) -> None:
    check = one.check
    if check.findings:
        print_line(f"{one.name} ({one.path}): {len(check.findings)} problems", style="red")
    elif one.elsewhere:
        print_line(f"{one.name}: its ledger is at its site; the head that is kept here holds")
    else:
        print_line(f"{one.name}: {check.size:,} entries under {check.heads:,} signed heads: holds")
    for finding in check.findings:
        print_line(f"  {finding.code}: {finding.text}")
    for code, count in check.uncounted.items():
        print_line(f"  {code}: {count:,} more")
    if one.sheet is not None:
        size, names = one.sheet.head.head.size, ", ".join(s.by for s in one.sheet.cosignatures)
        after = check.size - size if check.newest is not None else 0
        print_line(
            f"  head of {size:,} entries co-signed by {names or 'nobody'}"
            + (f"; {after:,} entries after it are signed by {one.name} alone" if after > 0 else "")
        )


def verify_file(path: Path, cosigned_by: Collection[str], identities: Path | None) -> bool:
    """Check a head, a proof or evidence by itself; returns whether it holds.

    Raises:
        LedgerError: if it is none of them.
    """
    found = read_any(path)
    if isinstance(found, Rewritten):
        return _verify_evidence(path, found)
    sheet = (
        HeadSheet(head=found.head, cosignatures=found.cosignatures)
        if isinstance(found, ReleaseProof)
        else found
    )
    faults, name = found.faults(), sheet.head.head.ledger
    signers = {one.by: one.key for one in sheet.cosignatures}
    faults += [f"{one} has not co-signed it" for one in cosigned_by if one not in signers]
    keys = _keys(identities)
    for who, key in {name: sheet.head.key, **signers}.items():
        known = _known_key(keys, who)
        if identities is not None and known != key:
            has = f"{identities} has {known[:16]}" if known else f"{identities} names none"
            faults.append(f"{who} signs with {key[:16]}; {has}")
    for fault in faults:
        print_line(f"{path}: {fault}", style="red")
    if isinstance(found, ReleaseProof):
        _print_release(found)
    state = sheet.head.head
    when = datetime.fromtimestamp(state.time_s, UTC).isoformat(sep=" ")
    by = ", ".join(signers) or "nobody"
    print_line(
        f"{'does not hold' if faults else 'holds'}: head of {state.size:,} entries of {name} "
        f"({when}), key {sheet.head.key[:16]}, co-signed by {by}"
    )
    if identities is None:
        print_line(
            "keys were not compared with anything: name the operator's file by --identities, or "
            "compare them with those that you know"
        )
    return not faults


def cosign_file(sheet: Path, site: Path, name: str) -> bool:
    """Co-sign a head in a file; returns whether its history continues.

    Raises:
        LedgerError: if it cannot be co-signed for another reason.
    """
    try:
        found = cosign_sheet(sheet, site, name)
    except (RewrittenHistoryError, UnprovenHistoryError) as error:
        print_line(str(error), style="red")
        print_line(f"both heads are in {evidence_file(sheet)}: show it to the other cities")
        return False
    state = found.head.head
    print_line(f"{sheet}: {name} co-signed {state.size:,} entries of {state.ledger}")
    return True


def _verify_evidence(path: Path, found: Rewritten) -> bool:
    first, second = found.earlier.head, found.later.head
    genuine = found.earlier.is_genuine() and found.later.is_genuine()
    print_line(
        f"{path}: two heads of {first.ledger}, of {first.size:,} entries with root "
        f"{first.root[:16]} and of {second.size:,} with root {second.root[:16]}"
    )
    if found.proves_itself():
        print_line("holds: one key signed both; its history was rewritten")
        return True
    if genuine and found.earlier.key == found.later.key:
        print_line(
            "both signatures hold; ask the owner for a proof that one continues the other "
            f"(`deepcity ledger head --since {min(first.size, second.size)}`): without one, its "
            "history was rewritten"
        )
        return True
    print_line("does not hold: a signature is wrong, or two keys signed them", style="red")
    return False


def _print_release(proof: ReleaseProof) -> None:
    one, entry = proof.entry.release, proof.entry
    if one is None:
        print_line(text_of(entry))
        return
    when = datetime.fromtimestamp(entry.time_s, UTC).isoformat(sep=" ")
    print_line(
        f"entry {entry.index} ({when}): {one.party} released {one.layer} ({one.form}) to "
        f"{one.receiver} for {one.service} in {one.training or 'no training'}, round {one.round}, "
        f"under {grant_text(one) or 'no grant of layers'}; leakage: "
        f"{leakage_text(one.leakage)}; {one.bytes:,} bytes, SHA-256 {one.sha256}"
    )


def _keys(path: Path | None) -> dict[str, str]:
    """Site -> public key, as an operator wrote them.

    Raises:
        LedgerError: if they cannot be read.
    """
    if path is None:
        return {}
    try:
        found = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{path} is no JSON of sites and keys: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise LedgerError(f"{path} must hold an object of sites and their public keys")
    return found


def _known_key(keys: Mapping[str, str], party: str) -> str:
    """The key of the site that answers for a party."""
    from deepcity.exchange.flare.task import site_of

    site = party if party in keys else site_of(party, keys)
    return keys.get(site, "") if site is not None else ""
