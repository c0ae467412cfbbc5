"""`deepcity policy revoke` in words: what it stops, what has left, what trains anew without."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from deepcity.city.localized_text import LocalizedText
from deepcity.privacy.policy.refusal_words import day_text
from deepcity.privacy.policy.release import Item, ReleaseGrant
from deepcity.runs.releases.review import ledger_files
from deepcity.store.release_ledger.totals import LedgerTotals, ReleaseTotal
from deepcity.store.run_folder import recorded_map


def stopped(grant: ReleaseGrant, *, held: bool) -> LocalizedText:
    """What a revocation stops, and from when."""
    if not held:
        at = day_text(grant.revoked_at or 0)
        return LocalizedText(
            f"{grant.name} was revoked on {at} already; nothing changes.",
            f"{grant.name}: {at} 이미 철회되었으므로 바뀌는 것이 없습니다.",
        )
    if grant.item is Item.LAYERS:
        return LocalizedText(
            f"{grant.name} is revoked: no layer leaves by it from the next answer on, in running "
            "processes too.",
            f"{grant.name} 철회됨: 돌고 있는 프로세스에서도 다음 응답부터 이 허가로는 층이 나가지 "
            "않습니다.",
        )
    if grant.item is Item.COUNTS:
        return LocalizedText(
            f"{grant.name} is revoked: no counts leave by it from now on. Those that have left "
            "stay with who received them, and what they spent of epsilon stays spent.",
            f"{grant.name} 철회됨: 이제부터 이 허가로는 집계가 나가지 않습니다. 이미 나간 것은 "
            "받은 쪽에 남으며, 쓴 엡실론은 돌아오지 않습니다.",
        )
    if grant.item is Item.SIGHTINGS:
        return LocalizedText(
            f"{grant.name} is revoked: no search is answered by it from now on. Sightings that "
            "have left stay with who received them until their case is closed.",
            f"{grant.name} 철회됨: 이제부터 이 허가로는 검색에 답하지 않습니다. 이미 나간 목격 "
            "정보는 사건이 종결될 때까지 받은 쪽에 남습니다.",
        )
    return LocalizedText(
        f"{grant.name} is revoked: no deep data leave by it from now on, and those that are stored "
        "are hidden from their readers at once. Copies that readers made stay with them.",
        f"{grant.name} 철회됨: 이제부터 이 허가로는 딥 데이터가 나가지 않으며, 저장된 것도 곧바로 "
        "읽을 수 없습니다. 읽은 쪽이 만든 사본은 그쪽에 남습니다.",
    )


def already_left(grant: ReleaseGrant, folders: Sequence[Path]) -> Iterator[LocalizedText]:
    """What left by a grant, by the ledgers of runs, and the commands that train anew without it.

    Raises:
        LedgerError: if a folder holds no ledger, or one cannot be read.
    """
    for folder in folders:
        found = list(_left(grant, folder))
        if not found:
            yield LocalizedText(
                f"{folder}: nothing left by it.", f"{folder}: 이 허가로 나간 것이 없습니다."
            )
            continue
        for one in found:
            yield _line(one)
        if grant.item not in (Item.COUNTS, Item.SIGHTINGS):  # nothing was trained with them
            yield _again(folder)


def _left(grant: ReleaseGrant, folder: Path) -> Iterator[ReleaseTotal]:
    for path in ledger_files(folder):
        totals = LedgerTotals(path)
        totals.follow()
        yield from (one for one in totals.totals if grant.name in one.grants)


def _line(one: ReleaseTotal) -> LocalizedText:
    kind, last = one.kind, day_text(one.last_s)
    return LocalizedText(
        f"  {kind.party}, {kind.layer}: {one.times} times, {one.bytes:,} bytes, to {kind.receiver} "
        f"for {kind.service}, last on {last}. It stays with who received it.",
        f"  {kind.party}, {kind.layer}: {kind.service} 서비스를 위해 {kind.receiver}에게 "
        f"{one.times}번, {one.bytes:,}바이트, 마지막 {last}. 받은 쪽에 남습니다.",
    )


def _again(folder: Path) -> LocalizedText:
    """The command that trains a run anew; without the grant its party is left out and named."""
    map_file = recorded_map(folder)
    if map_file is None:
        return LocalizedText(
            f"{folder}: its map is not where it was; where it is, train anew without what was "
            "revoked by `deepcity run MAP --out FOLDER --fresh`.",
            f"{folder}: 맵이 있던 자리에 없습니다. 맵이 있는 곳에서 "
            "`deepcity run MAP --out FOLDER --fresh`로 철회된 것 없이 다시 학습하십시오.",
        )
    command = shlex.join(["deepcity", "run", str(map_file), "--out", str(folder), "--fresh"])
    return LocalizedText(
        f"What was fused is in the common layers of {folder}. Train anew without it: {command}",
        f"합쳐진 것은 {folder}의 공통 층에 있습니다. 이를 빼고 다시 학습하려면: {command}",
    )
