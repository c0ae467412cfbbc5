"""Memory of a server: its threads share what is freed."""

import subprocess
import sys

import pytest

from deepcity.web.server.allocator import ARENAS

ARENAS_OF_THREADS = """
import ctypes, os, sys, tempfile, threading
if sys.argv[1] == "shared":
    from deepcity.web.server.serving import make_server
    make_server(None, "127.0.0.1", 0)
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
together = threading.Barrier(12)

def work():
    together.wait()
    libc.malloc(ctypes.c_size_t(50_000))
    together.wait()

threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
path = os.path.join(tempfile.mkdtemp(), "heaps.xml").encode()
file = ctypes.c_void_p(libc.fopen(path, b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(open(path).read().count("<heap nr="))
"""


def arenas(how):
    command = [sys.executable, "-c", ARENAS_OF_THREADS, how]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are of the GNU C library")
def test_threads_of_a_server_share_arenas():
    assert arenas("own") > ARENAS
    assert arenas("shared") <= ARENAS


FREED = """
import ctypes, os
from deepcity.web.server.allocator import give_back

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def resident_mb():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

blocks = [libc.malloc(ctypes.c_size_t(20_000)) for _ in range(5_000)]
for block in blocks:
    ctypes.memset(block, 1, 20_000)
for block in blocks[:-1]:  # the last one lives at the end
    libc.free(block)
before = resident_mb()
give_back()
print(before - resident_mb())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are of the GNU C library")
def test_what_is_freed_below_a_block_that_lives_is_given_back():
    run = subprocess.run([sys.executable, "-c", FREED], capture_output=True, check=True, text=True)
    assert float(run.stdout) > 50  # of 100 MB


LARGE = """
import ctypes, os, sys
from deepcity.web.server.allocator import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def resident_mb():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

def block(size):
    found = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(found, 1, size)
    return found

libc.free(block(20_000_000))  # from now on such blocks would be in arenas
blocks = [one for _ in range(100) for one in (block(1_000_000), block(5_000))]
before = resident_mb()
for one in blocks[::2]:
    libc.free(one)
print(before - resident_mb())
"""


def freed_mb(how):
    """What goes back by itself of 100 MB that are freed between blocks that live."""
    command = [sys.executable, "-c", LARGE, how]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are of the GNU C library")
def test_large_blocks_go_back_at_once():
    assert freed_mb("own") < 20
    assert freed_mb("shared") > 90
