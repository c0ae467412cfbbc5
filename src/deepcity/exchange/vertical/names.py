"""Names on the wire of vertical training: verbs of an agency and of the application, and numbers.

What each verb does stands at `deepcity.vertical.agency_party`, `deepcity.vertical.machines.agency`
and `deepcity.vertical.machines.application`.
"""

HANDSHAKE, FORWARD, BACKWARD, RESTORE, LOSS = "handshake", "forward", "backward", "restore", "loss"
PACKAGE = "package"
OPEN, CLOSE = "open", "close"
"""Verbs around a training between machines: an agency begins, and forgets its checkpoints."""
ADVANCE = "advance"
"""Verb by which the coordinator lets an application between machines train on."""
AGENCY_VERBS = (OPEN, HANDSHAKE, FORWARD, BACKWARD, RESTORE, PACKAGE, CLOSE)
"""Verbs that an agency answers between machines; its labels are asked for in one process only."""

STEPS, RATE, WIDTH, LEVEL, ERROR = "steps", "rate", "width", "level", "error"
RUN, BEST, STEP_S, PHASE_S, VERSION = "run", "best", "step_s", "phase_s", "version"
CADENCE_S = "cadence_s"
"""Least seconds between two releases that an agency has chosen; 0: none."""
OLDER, UNTIL_S, HORIZON_S, RECORD_BYTES = "older", "until_s", "horizon_s", "record_bytes"
CELLS, TIMES, DEEP, ROWS = "cells", "times", "deep", "rows"
GRADIENTS, FORECAST = "gradients", "forecast"
VECTORS, KNOWN = "vectors", "known"
STEP, OPENED, SILENT, LOST = "step", "opened", "silent", "lost"
