"""The learning process: `python -m deepcity.live.node.learning.process FOLDER`.

It lets the forecasters of a request learn, and ends.
"""

import sys
from pathlib import Path

from deepcity.live.node.processes.low_priority import begin_beside


def main(folder: Path) -> None:
    """Learn what a folder asks for, and write there what changed."""
    begin_beside()
    from deepcity.live.node.learning.request import LearningFolder
    from deepcity.live.node.learning.updates import DailyUpdate, bundle_numbers

    asked = LearningFolder(folder)
    request = asked.request()
    if request is None:
        sys.exit(f"{folder} holds no request that can be read")
    before = asked.begun(bundle_numbers(request.folders))
    update = DailyUpdate(request.folders, request.city, before, request.replayed)
    asked.finish(update(asked.known, request.now_s))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
