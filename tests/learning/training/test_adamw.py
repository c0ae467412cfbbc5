"""Ours steps as torch's own does, to the bit, and its moments are those of torch's checkpoints."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from deepcity.learning.training.adamw import AdamW, clip_gradients
from deepcity.learning.training.training_state import capture_state, restore_state


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(7, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 3))


def gradients(one, seed):
    rows = torch.randn(32, 7, generator=torch.Generator().manual_seed(seed))
    (one(rows).abs().mean() * 10).backward()


def weights(one):
    return torch.cat([parameter.detach().flatten() for parameter in one.parameters()])


@pytest.mark.parametrize("fused", [True, False])
def test_each_step_is_that_of_torch_to_the_bit(fused):
    ours, theirs = network(), network()
    for one in (ours, theirs):
        one[1].requires_grad_(False)
    mine = AdamW(ours.parameters(), weight_decay=0.1, fused=fused)
    how = {"fused": True} if fused else {}  # else torch's choice, parameter by parameter
    known = torch.optim.AdamW(theirs.parameters(), weight_decay=0.1, **how)
    for step in range(60):
        mine.rate = known.param_groups[0]["lr"] = 1e-2 * (1 + step % 7)
        for one, optimizer in ((ours, mine), (theirs, known)):
            optimizer.zero_grad()
            gradients(one, step)
        most = 0.5 if step % 2 else 50.0
        norms = (
            clip_gradients(mine.parameters, most),
            nn.utils.clip_grad_norm_(theirs.parameters(), most),
        )
        assert torch.equal(*norms)
        mine.step()
        known.step()
        assert torch.equal(weights(ours), weights(theirs)), step
    for parameter, moments in zip(theirs.parameters(), mine.moments, strict=True):
        assert {*moments} == {*known.state[parameter]}
        assert all(torch.equal(moments[key], known.state[parameter][key]) for key in moments)


def test_a_copy_and_a_restored_one_go_on_as_the_first_does():
    first = network()
    optimizer = AdamW(first.parameters(), fused=True)

    def step(one, its, seed):
        its.zero_grad()
        gradients(one, seed)
        its.step()

    step(first, optimizer, 0)
    copied, its = copy.deepcopy((first, optimizer))
    restored = network()
    again = AdamW(restored.parameters(), fused=True)
    restore_state(restored, again, capture_state(first, optimizer, None))
    for one, of_it in ((first, optimizer), (copied, its), (restored, again)):
        step(one, of_it, 1)
    assert torch.equal(weights(first), weights(copied))
    assert torch.equal(weights(first), weights(restored))
    assert not torch.equal(weights(first), weights(network()))


def test_nothing_moves_without_gradients():
    one = network()
    optimizer = AdamW(one.parameters())
    assert float(clip_gradients(optimizer.parameters, 1.0)) == 0
    optimizer.step()
    assert torch.equal(weights(one), weights(network()))


def test_it_does_not_load_the_compiler_of_torch():
    """Over a second for each process that trains."""
    code = (
        "import sys, torch; from deepcity.learning.training.adamw import AdamW; "
        "one = torch.ones(3, requires_grad=True); one.sum().backward(); "
        "AdamW([one], fused=True).step(); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
