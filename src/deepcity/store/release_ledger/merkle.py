"""Merkle trees as Certificate Transparency has them: RFC 9162, section 2.1, with SHA-256.

A leaf's hash is of a zero byte and the entry, a node's of a one byte and its two children, so that
no node passes for an entry. A tree of n leaves is split at the greatest power of two below n.

Both kinds of proof are lists of hashes of whole ranges of leaves. Which ranges follows from the
numbers alone (`inclusion_ranges`, `consistency_ranges`); their hashes are made in one pass over the
leaves for all proofs together, in memory of the order of log n for each (`range_hashes`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH_BYTES = 32
MOST_PATH = 64
"""Hashes of a path: trees of up to 2^63 leaves have no longer ones."""
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first number up to, without, the second."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees as one."""
    return sha256(b"\1" + left + right).digest()


@dataclass
class Frontier:
    """A tree that grows: the roots of its complete subtrees, the greatest first.

    >>> tree = Frontier()
    >>> tree.root() == EMPTY_ROOT
    True
    """

    size: int = 0
    _peaks: list[bytes] = field(default_factory=list, repr=False)

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        rest, peaks = self.size, self._peaks
        while rest & 1:
            leaf = node_hash(peaks.pop(), leaf)
            rest >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return _folded(self._peaks) if self._peaks else EMPTY_ROOT


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that a leaf is in a tree; the path of RFC 9162, 2.1.3.1.

    >>> inclusion_ranges(2, 5)
    [(3, 4), (0, 2), (4, 5)]

    Raises:
        ValueError: if the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes prove that a tree begins with an older one; RFC 9162, 2.1.4.1.

    >>> consistency_ranges(3, 5)
    [(2, 3), (3, 4), (0, 2), (4, 5)]

    Raises:
        ValueError: if the older tree is empty, or larger.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with one of {old}")
    found: list[Range] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    if start:  # else it is the older tree itself, whose root the reader has
        found.append((start, end))
    return found[::-1]


def range_hashes(leaves: Iterable[bytes], ranges: Sequence[Range]) -> list[bytes]:
    """The hashes of ranges in one pass, however many there are; they may overlap.

    Every complete subtree of the leaves is made once; a range is put together of those in it.

    Args:
        leaves: hashes of all leaves in order, the last one that a range needs among them.
        ranges: of proofs: each begins at a multiple of the greatest power of two in its length.

    Raises:
        ValueError: if there are fewer leaves, or a range is of no proof.
    """
    blocks = {one: _blocks(one) for one in ranges}
    needed = {block for some in blocks.values() for block in some}
    last, end, peaks = max((end for _, end in needed), default=0), 0, list[bytes]()
    hashes: dict[Range, bytes] = {}
    for end, leaf in zip(range(1, last + 1), leaves, strict=False):
        node, size, rest = leaf, 1, end - 1
        while True:
            if (end - size, end) in needed:
                hashes[end - size, end] = node
            if not rest & 1:
                break
            node, size, rest = node_hash(peaks.pop(), node), size * 2, rest >> 1
        peaks.append(node)
    if end < last:
        raise ValueError(f"there are fewer than {last} leaves")
    return [_folded([hashes[block] for block in blocks[one]]) for one in ranges]


def _blocks(one: Range) -> list[Range]:
    """The complete subtrees that a range is made of, the greatest first."""
    (start, end), found = one, list[Range]()
    while start < end:
        size = 1 << (end - start).bit_length() - 1
        if start % size:
            raise ValueError(f"{start} to {end} is no range of a proof")
        found.append((start, start + size))
        start += size
    return found


def _folded(peaks: list[bytes]) -> bytes:
    """The root of complete subtrees, the greatest first."""
    *others, root = peaks
    for peak in reversed(others):
        root = node_hash(peak, root)
    return root


def proves_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether a path shows that a leaf is the one of that number in a tree; RFC 9162, 2.1.3.2."""
    if not 0 <= index < size or not _is_path(path):
        return False
    first, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(step, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, step)
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def proves_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path shows that a tree begins with an older one; RFC 9162, 2.1.4.2."""
    if not 0 < old <= new or not _is_path(path):
        return False
    if old == new:
        return not path and old_root == new_root
    steps = [*path] if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found_new = node_hash(found_new, step)
        first, last = first >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


def _split(size: int) -> int:
    """The greatest power of two below a size over one."""
    return 1 << (size - 1).bit_length() - 1


def _is_path(path: Sequence[bytes]) -> bool:
    return len(path) <= MOST_PATH and all(len(step) == HASH_BYTES for step in path)
