"""`deepcity export FOLDER`: a party's forecaster as an ONNX file, checked, with its model card."""

from pathlib import Path
from typing import Annotated

import typer

from deepcity.cli.forecasting.options import CityFileOption, Folder, MapFile, ServiceName
from deepcity.cli.progress_bars import errors


def export(
    folder: Folder,
    party: Annotated[str, typer.Option("--party", help="Whose.", metavar="CITY/AGENCY")],
    out: Annotated[
        Path, typer.Option(help="The ONNX file; the card is written beside it.", metavar="FILE")
    ],
    service: ServiceName = None,
    networks_only: Annotated[
        bool,
        typer.Option(
            "--networks-only",
            help="Leave out experts that cannot be exported; their weight is shared out.",
        ),
    ] = False,
    map_file: MapFile = None,
    city: CityFileOption = None,
) -> None:
    """Write a party's forecaster as an ONNX file, with a model card.

    The file holds the networks, the ridge and the typical day as the ensemble weighs them at
    the newest row, with the bands of that time. It takes what deepcity makes of the rows;
    FILE.inputs.npz holds these inputs of the newest row, and the forecast that must come out.
    The file is run once with onnxruntime and written only if it gives deepcity's own forecast.
    FILE.card.md and FILE.card.json say what it learned from and what its errors are.

    Needs: pip install 'deepcity\\[onnx]'

    Example: deepcity export runs/demo --party ferrara/district-1 --out district-1.onnx
    """
    from deepcity.forecasting.export_party import export_party
    from deepcity.forecasting.run_parties import check_asked, find_parties

    if out.exists() and not out.is_file():
        raise typer.BadParameter(f"{out} is no file; name one", param_hint="--out")
    found = find_parties(folder, map_file=map_file, city_file=city)
    check_asked(found, service, [party])
    mine = [one for one in found if one.party == party and service in (None, one.service)]
    if len(mine) > 1:
        names = ", ".join(one.service for one in mine)
        raise typer.BadParameter(f"{party} is in {names}; name one", param_hint="--service")
    done = export_party(mine[0], out, networks_only=networks_only)
    left_out = f" without {', '.join(done.left_out)}" if done.left_out else ""
    errors.print(
        f"{out}: {done.experts} experts{left_out}; largest difference from deepcity's own "
        f"forecast {done.difference:.2g} {done.unit}. Card: {done.card}",
        markup=False,
    )
