"""What is stated of released counts: to the receiver in a file, to the agency on its terminal."""

from pathlib import Path

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import PrintedLanguage, echo
from deepcity.data.counting.count_table import TableCounts
from deepcity.parties.releases.counts_release import CountsRelease
from deepcity.privacy.counts.release import ReleasedCounts


def noise_facts(release: CountsRelease, every: str) -> dict[str, object]:
    """What a receiver needs to use the counts: none of it depends on the table."""
    terms = release.terms
    return {
        "from": release.party,
        "to": list(release.recipients),
        "service": release.service,
        "purpose": release.purpose,
        "every": every,
        "unit": terms.unit,
        "cells_per_unit": terms.per_unit,
        "epsilon": terms.epsilon,
        "noise": "geometric on both sides (discrete Laplace)",
        "noise_scale": terms.scale,
        "error_95": terms.error(0.95),
        "withheld_under": terms.k,
        "absent": "a cell that is not here had a count under this, with its noise",
    }


def print_release(
    out: Path,
    found: ReleasedCounts,
    counted: TableCounts,
    release: CountsRelease,
    grants: tuple[str, ...],
    language: PrintedLanguage,
) -> None:
    """What left, and what it spent."""
    terms, shown = release.terms, len(found.cell_S)
    spent, error, names = release.budget.spent(), terms.error(0.95), ", ".join(grants)
    lines = [
        LocalizedText(
            f"{out}: {shown:,} of {found.cells:,} cells; the others' counts are under {terms.k} "
            "with their noise.",
            f"{out}: 칸 {found.cells:,}개 가운데 {shown:,}개. 나머지는 잡음을 더한 값이 {terms.k} "
            "미만입니다.",
        ),
        LocalizedText(
            f"Noise: of 20 counts 19 are within {error} of the true ones. A sum of cells adds "
            "theirs.",
            f"잡음: 집계 20개 가운데 19개는 참값과 {error} 이내로 다릅니다. 여러 칸을 더하면 "
            "잡음도 더해집니다.",
        ),
        LocalizedText(
            f"Epsilon {terms.epsilon:g} for each {terms.unit}, counted in {terms.per_unit} at "
            f"most; {spent:g} is spent in all of what {names} allows.",
            f"{terms.unit}마다 엡실론 {terms.epsilon:g}, 많아야 {terms.per_unit}개 칸에 셉니다. "
            f"{names}에서 허용한 것 가운데 지금까지 모두 {spent:g}을 썼습니다.",
        ),
    ]
    if counted.outside:
        lines.append(
            LocalizedText(
                f"{counted.outside:,} of {counted.rows:,} rows lie in no listed area or day and "
                "are not counted. This figure is for you: it has no noise.",
                f"행 {counted.rows:,}개 가운데 {counted.outside:,}개는 목록의 지역이나 날짜에 없어 "
                "세지 않았습니다. 이 숫자는 담당자만 보십시오. 잡음이 없습니다.",
            )
        )
    for line in lines:
        echo(line, language)
