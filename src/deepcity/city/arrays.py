"""Types of arrays: what stands in one; axes are given by the suffixes of names.

Floats    float32: values, forecasts, activations
Doubles   float64: sums, statistics, coordinates
Ints      int64: times in seconds, rows, cells
Indices   intp: positions that NumPy gave
Bools     masks
Texts     names
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]
