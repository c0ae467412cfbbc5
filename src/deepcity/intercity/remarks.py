"""What a run says of parties that differ: newcomers, late and early ones, other steps."""

from collections.abc import Sequence

from deepcity.city.level import ALONE, HEAD, STEM
from deepcity.intercity.alike import groups_of
from deepcity.intercity.choices import Chosen, together
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.methods import Outcome
from deepcity.intercity.parties import Party
from deepcity.intercity.results import Words
from deepcity.intercity.words import layer_words
from deepcity.store.manifest import Manifest

UNEQUAL = 3.0  # times the fewest rows


def service_remarks(
    settings: ServiceSettings,
    parties: Sequence[Party],
    package: Manifest | None,
    outcome: Outcome | None,
) -> list[Words]:
    """Whose layers all begin with, which are fused within groups alone, and in whose; and who
    weighs much more than others, or failed in a round.
    """
    if settings.grant.level == ALONE:
        return []
    joined = together(settings, parties)
    sharing = [party for party in joined if settings.grant.stem_of(party.name) == "common"]
    found = [_started(settings, package)] if package is not None else []
    for layer, members in ((STEM, sharing), (HEAD, joined)):
        own = groups_of(members).get(layer)
        if own is not None and (layer == STEM or settings.grant.level > 5):
            groups = [
                [party for party in members if own[party.name] == group]
                for group in dict.fromkeys(own.values())
            ]
            found.append(_grouped(layer, groups))
    if outcome is None:
        return found
    return [*found, *_weighed(settings, outcome), *_left_out(outcome)]


def _left_out(joined: Outcome) -> list[Words]:
    """Who failed in how many rounds of learning together, and the last reason."""
    rounds: dict[str, set[int]] = {}
    reasons: dict[str, str] = {}
    for number, failed in enumerate(joined.progress.failures, 1):
        for failure in failed:
            rounds.setdefault(failure.party, set()).add(number)
            reasons[failure.party] = failure.reason
    looks = len(joined.progress.failures)  # the last is the look after all rounds
    return [
        Words(
            en=f"{party} failed in {len(rounds[party])} of {looks} meetings, and was left out "
            f"there: {reasons[party]}",
            ko=f"{party}: 모임 {looks}번 가운데 {len(rounds[party])}번 실패하여 그때 빠졌습니다: "
            f"{reasons[party]}",
        )
        for party in rounds
    ]


def _started(settings: ServiceSettings, package: Manifest) -> Words:
    """From whose layers everything but learning alone began."""
    assert settings.reuse is not None
    layers, whose = layer_words(settings.reuse.level), f"{package.service} ({package.city})"
    en = f"All but learning alone began with {layers.en} of another service, {whose}"
    ko = f"혼자 학습하는 것 말고는 모두 다른 서비스 {whose}의 {layers.ko} 가져와 시작했습니다"
    if settings.reuse.frozen:
        return Words(en=f"{en}, and kept them as they came.", ko=f"{ko}(받은 그대로 둠).")
    return Words(en=f"{en}.", ko=f"{ko}.")


def _weighed(settings: ServiceSettings, joined: Outcome) -> list[Words]:
    """What parties weigh in averages, where their rows are far from equally many."""
    rows = joined.progress.weights
    if not rows:  # everybody left
        return []
    least, most = min(rows, key=rows.__getitem__), max(rows, key=rows.__getitem__)
    if rows[most] < UNEQUAL * rows[least]:
        return []
    en = f"Parties learn from unequally many rows ({least} {rows[least]:,.0f}, {most} "
    en += f"{rows[most]:,.0f})"
    ko = f"참여하는 곳마다 자료의 양이 크게 다릅니다({least} {rows[least]:,.0f}행, {most} "
    ko += f"{rows[most]:,.0f}행)"
    if settings.strategy.weighting == "equal":
        return [
            Words(en=f"{en}, and weigh alike in averages.", ko=f"{ko}. 평균에서는 똑같이 셉니다.")
        ]
    share = rows[most] / sum(rows.values())
    return [
        Words(
            en=f"{en}, and weigh by them in averages: {most} has {share:.0%}.",
            ko=f"{ko}. 평균에서 자료의 양만큼 세므로 {most}의 몫이 {share:.0%}입니다.",
        )
    ]


def _grouped(layer: str, groups: Sequence[Sequence[Party]]) -> Words:
    """Who shares a layer with whom; the hidden layers fit everybody."""
    who = "; ".join(", ".join(party.name for party in group) for group in groups)
    en, ko = {STEM: ("stem", "입력층(stem)"), HEAD: ("head", "출력층(head)")}[layer]
    return Words(
        en=f"Steps, windows or fields differ here, so h1 to h5 are common to all, but each {en} "
        f"only to those it fits: {who}.",
        ko=f"시간 간격이나 예측 구간, 항목이 서로 달라, h1부터 h5까지는 모두 함께 쓰지만 {ko}은 "
        f"맞는 곳끼리만 함께 씁니다: {who}.",
    )


def party_remarks(
    settings: ServiceSettings,
    party: Party,
    parties: Sequence[Party],
    chosen: Chosen,
    joined: Outcome | None,
) -> list[Words]:
    """What was special about one party's part."""
    found = []
    if party.name in settings.newcomers:
        found.append(_newcomer(party, len(together(settings, parties)), chosen))
    if joined is not None and party.name in joined.method.levels:
        found += _attended(settings, party, joined)
    if _another_window(party, parties):
        found.append(_ahead(party))
    return found


def _newcomer(party: Party, others: int, chosen: Chosen) -> Words:
    en = f"A newcomer: it sent nothing, and started from what {others} others had learned."
    ko = f"새로 온 곳입니다. 아무것도 보내지 않고, 다른 {others}곳이 배운 층에서 시작했습니다."
    if chosen.first_day is not None:
        error = f"{chosen.first_day.mae:.3g} {party.unit}"
        en += f" Their layers as they came, before any training of its own, err by {error}."
        ko += f" 스스로 학습하기 전, 받은 그대로의 오차는 {error}입니다."
    return Words(en=en, ko=ko)


def _attended(settings: ServiceSettings, party: Party, joined: Outcome) -> list[Words]:
    """In which rounds it took part, where these were not all."""
    said, rounds = settings.attendance, joined.progress.round
    found = []
    if first := said.joins.get(party.name):
        found.append(
            Words(
                en=f"Joined in round {first} of {rounds}.",
                ko=f"{rounds}번의 만남 가운데 {first}번째부터 참여했습니다.",
            )
        )
    if left := said.leaves.get(party.name):
        found.append(
            Words(
                en=f"Left before round {left} of {rounds}, and keeps what it had then.",
                ko=f"{rounds}번의 만남 가운데 {left}번째 전에 떠났고, 그때의 것을 지닙니다.",
            )
        )
    if said.share < 1:
        count = sum(party.name in errors for errors in joined.progress.errors[:rounds])
        found.append(
            Words(
                en=f"Drawn by lot for {count} of {rounds} rounds.",
                ko=f"{rounds}번의 만남 가운데 {count}번에 추첨되었습니다.",
            )
        )
    return found


def _another_window(party: Party, parties: Sequence[Party]) -> bool:
    first = parties[0]
    return (party.panel.clock.step_s, party.inputs.settings) != (
        first.panel.clock.step_s,
        first.inputs.settings,
    )


def _ahead(party: Party) -> Words:
    minutes, steps = party.panel.clock.step_s / 60, party.inputs.settings.horizon
    return Words(
        en=f"It forecasts {steps} steps of {minutes:g} min.",
        ko=f"{minutes:g}분 간격으로 {steps}걸음 앞까지 예측합니다.",
    )
