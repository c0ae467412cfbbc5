"""A training that goes on a step at a time, as far as it is allowed to.

It runs in a thread of its own, which waits after each step, so that whoever leads it over a
network asks short questions: go on to step n; how far are you? An answer that was lost is asked
for again, and costs no step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Generic, TypeVar

import torch

Result = TypeVar("Result")
AfterStep = Callable[[int], None]


class _StopTrainingError(SystemExit):
    """Ends the thread; no handler of a training's errors catches it."""


@dataclass
class SteppedTraining(Generic[Result]):
    """A training, and how far it is.

    Attributes:
        train: called once, with a function to call after each step with its number, from 1 on;
            step 0 is done once it is ready to begin.
        done: the newest step that is done; -1: none.
        result: what `train` returned, once it has.
        error: what it raised.
    """

    train: Callable[[AfterStep], Result]
    done: int = -1
    result: Result | None = None
    error: BaseException | None = None
    _allowed: int = 0
    _ended: bool = False
    _change: Condition = field(default_factory=Condition)
    _thread: Thread | None = None

    def advance(self, step: int, wait_s: float) -> bool:
        """Let it go on to a step; wait so long for it. Returns whether the training has ended."""
        with self._change:
            self._allowed = max(self._allowed, step)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="training", daemon=True)
                self._thread.start()
            self._change.notify_all()
            self._change.wait_for(lambda: self._ended or self.done >= step, wait_s)
            return self._ended

    def stop(self) -> None:
        """Let it end after the step that it is at."""
        with self._change:
            self._allowed, self._ended = -1, True
            self._change.notify_all()

    def _run(self) -> None:
        torch.set_num_threads(1)
        try:
            self.result = self.train(self._after)
        except _StopTrainingError:
            pass
        except BaseException as error:
            self.error = error
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _after(self, step: int) -> None:
        with self._change:
            self.done = max(self.done, step)
            self._change.notify_all()
            self._change.wait_for(lambda: self._allowed > step or self._allowed < 0)
            if self._allowed < 0:
                raise _StopTrainingError
