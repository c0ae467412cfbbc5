"""A network of its own for one site, so that it can be cut as a cable is: packets are lost.

A relay in front of the hub would go on acknowledging what it swallows; here nobody does, and the
site's kit is as it is on any machine. It takes the right to make network namespaces (root).
"""

import os
import shutil
import subprocess
from contextlib import contextmanager

HUB, SITE = "10.213.77.1", "10.213.77.2"
_NAME, _OUTSIDE, _INSIDE = "deepcity-fault", "dcfault0", "dcfault1"


def why_not():
    """Why no network can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip (iproute2) is missing"
    probe = subprocess.run(
        f"unshare -n ip link add {_OUTSIDE} type veth peer name {_INSIDE}".split(),
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if probe.returncode == 0 else f"no network namespace: {probe.stderr.strip()}"


@contextmanager
def site_network():
    """A network with the hub's address outside and a site's inside; removed afterwards."""
    remove()
    try:
        _ip(f"netns add {_NAME}")
        _ip(f"link add {_OUTSIDE} type veth peer name {_INSIDE} netns {_NAME}")
        _ip(f"addr add {HUB}/30 dev {_OUTSIDE}")
        _ip(f"link set {_OUTSIDE} up")
        _ip(f"-n {_NAME} addr add {SITE}/30 dev {_INSIDE}")
        _ip(f"-n {_NAME} link set lo up")
        connect(True)
        yield
    finally:
        remove()


def connect(up):
    """Cut the site's cable, or put it back."""
    _ip(f"-n {_NAME} link set {_INSIDE} {'up' if up else 'down'}")


def inside(command):
    """A command that runs in the site's network."""
    return ["ip", "netns", "exec", _NAME, *command]


def remove():
    """Remove what an earlier run may have left."""
    for command in (f"netns delete {_NAME}", f"link delete {_OUTSIDE}"):
        subprocess.run(["ip", *command.split()], capture_output=True, check=False)


def _ip(command):
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)
