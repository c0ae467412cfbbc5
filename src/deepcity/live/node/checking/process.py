"""The process that checks records: `python -m deepcity.live.node.checking.process FOLDER`.

It looks at the records of a request by the rules of `deepcity data check`, and ends.
"""

import sys
from pathlib import Path

from deepcity.live.node.processes.low_priority import begin_beside


def main(folder: Path) -> None:
    """Check what a folder holds, and write there what was found."""
    begin_beside()
    from deepcity.data.city_file import check_city
    from deepcity.live.node.checking.check_event import check_draft
    from deepcity.live.node.checking.request import CheckRequest
    from deepcity.live.node.processes.request_folder import RequestFolder
    from deepcity.runs.records.record_doubts import record_doubts

    handed = RequestFolder(folder)
    request = handed.read(CheckRequest)
    if request is None:
        sys.exit(f"{folder} holds no request that can be read")
    city_file, problems = check_city(request.city_file, later=True)
    if city_file is None:
        sys.exit(" ".join(str(one) for one in problems))
    panels = {name: handed.known(city_file, name) for name in request.agencies}
    found = record_doubts(city_file, panels)
    now_s = request.now_s
    handed.finish([check_draft(name, panel, found[name], now_s) for name, panel in panels.items()])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
