"""Device layouts written from their index formulas, and read back by the core.

Formulas take arrays of indices, one for each dimension. Every writer takes a logical array and
gives the storage array, padding filled with `fill`. Formulas: the specification of the device
formats; C0, N0 and H0 are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from ait_cmp import _core

FLOAT = 1

Array = NDArray[Any]
Shape = Optional[tuple[int, ...]]
#: Storage index of a logical index; of arrays of indices, an array.
Index = Callable[..., Any]


def ceil(a: int, b: int) -> int:
    """a / b rounded up."""
    return (a + b - 1) // b


def write(logical: Array, shape: tuple[int, ...], index: Index, fill: Any) -> Array:
    """The storage array of this shape, with every element where the formula puts it."""
    storage = np.full(math.prod(shape), fill, logical.dtype)
    places = np.asarray(index(*np.indices(logical.shape)))
    is_taken = np.zeros(storage.size, bool)
    is_taken[places] = True
    assert np.count_nonzero(is_taken) == logical.size  # no two elements in one place
    storage[places] = logical
    return storage.reshape(shape)


def order_of(logical: Array, order: str, wanted: str) -> Array:
    """A view with the dimensions in the wanted order; a missing one has size 1."""
    for letter in wanted:
        if letter not in order:
            logical, order = logical[np.newaxis], letter + order
    return logical.transpose([order.index(letter) for letter in wanted])


def fractal_nz(a: Array, h0: int, c0: int, fill: Any) -> Array:
    """[..., H, W] -> [..., W1, H1, H0, C0]."""
    *leading, h, w = a.shape
    h1, w1 = ceil(h, h0), ceil(w, c0)
    flat = a.reshape(-1, h, w)

    def index(b: int, i: int, j: int) -> int:
        return (((b * w1 + j // c0) * h1 + i // h0) * h0 + i % h0) * c0 + j % c0

    shape = (flat.shape[0], w1, h1, h0, c0)
    return write(flat, shape, index, fill).reshape(*leading, w1, h1, h0, c0)


def fractal_zz(a: Array, h0: int, w0: int, fill: Any) -> Array:
    """[..., H, W] -> [..., H1, W1, H0, W0]."""
    *leading, h, w = a.shape
    h1, w1 = ceil(h, h0), ceil(w, w0)
    flat = a.reshape(-1, h, w)

    def index(b: int, i: int, j: int) -> int:
        return (((b * h1 + i // h0) * w1 + j // w0) * h0 + i % h0) * w0 + j % w0

    shape = (flat.shape[0], h1, w1, h0, w0)
    return write(flat, shape, index, fill).reshape(*leading, h1, w1, h0, w0)


def fractal_nz_column(a: Array, h0: int, c0: int, fill: Any) -> Array:
    """[N] as a column: element n at n*C0."""
    shape = (1, ceil(a.size, h0), h0, c0)
    return write(a, shape, lambda n: n * c0, fill)


def fractal_nz_row(a: Array, h0: int, c0: int, fill: Any) -> Array:
    """[N] as a row: element n at ((n/C0)*H0)*C0 + n%C0."""
    shape = (ceil(a.size, c0), 1, h0, c0)
    return write(a, shape, lambda n: (n // c0) * h0 * c0 + n % c0, fill)


def fractal_z(a: Array, order: str, n0: int, c0: int, fill: Any) -> Array:
    """Filter -> [C1*H*W, N1, N0, C0]."""
    f = order_of(a, order, "NCHW")
    n, c, h, w = f.shape
    n1 = ceil(n, n0)

    def index(i: int, j: int, y: int, x: int) -> int:
        return (((j // c0 * h + y) * w + x) * n1 * n0 + i) * c0 + j % c0

    return write(f, (ceil(c, c0) * h * w, n1, n0, c0), index, fill)


def fractal_z_matrix(a: Array, n0: int, c0: int, fill: Any) -> Array:
    """[R, S] -> [ceil(R,C0), ceil(S,N0), N0, C0]."""
    r, s = a.shape
    n1 = ceil(s, n0)
    return write(
        a,
        (ceil(r, c0), n1, n0, c0),
        lambda i, j: ((i // c0) * n1 * n0 + j) * c0 + i % c0,
        fill,
    )


def fractal_z_groups(a: Array, order: str, groups: int, n0: int, c0: int, fill: Any) -> Array:
    """Grouped filter (2-D or 3-D) -> [ceil(G,E)*D*c1*H*W, cout_opt/N0, N0, C0]."""
    f = order_of(a, order, "NCDHW")
    n, cin, depth, h, w = f.shape
    cout = n // groups
    e = min(math.lcm(math.lcm(cin, c0) // cin, math.lcm(cout, n0) // cout), groups)
    c1 = ceil(e * cin, c0)
    cout_opt = ceil(e * cout, n0) * n0

    def index(total: int, c: int, d: int, y: int, x: int) -> int:
        g, i = divmod(total, cout)
        ci, co = (g % e) * cin + c, (g % e) * cout + i
        block = ((((g // e) * depth + d) * c1 + ci // c0) * h + y) * w + x
        return block * cout_opt * c0 + co * c0 + ci % c0

    shape = (ceil(groups, e) * depth * c1 * h * w, cout_opt // n0, n0, c0)
    return write(f, shape, index, fill)


def fractal_z_c04(a: Array, order: str, n0: int, c0: int, fill: Any) -> Array:
    """Filter of at most 4 channels -> [ceil(4*H*W,C0), N1, N0, C0]."""
    f = order_of(a, order, "NCHW")
    n, _, h, w = f.shape
    n1 = ceil(n, n0)

    def index(i: int, c: int, y: int, x: int) -> int:
        k = (y * w + x) * 4 + c
        return ((k // c0 * n1 + i // n0) * n0 + i % n0) * c0 + k % c0

    return write(f, (ceil(4 * h * w, c0), n1, n0, c0), index, fill)


def fractal_z_3d(a: Array, order: str, n0: int, c0: int, fill: Any) -> Array:
    """Filter -> [D*C1*H*W, N1, N0, C0]."""
    f = order_of(a, order, "NCDHW")
    n, c, depth, h, w = f.shape
    c1, n1 = ceil(c, c0), ceil(n, n0)

    def index(i: int, j: int, d: int, y: int, x: int) -> int:
        return ((((d * c1 + j // c0) * h + y) * w + x) * n1 * n0 + i) * c0 + j % c0

    return write(f, (depth * c1 * h * w, n1, n0, c0), index, fill)


def fractal_z_3d_transpose(a: Array, n0: int, c0: int, fill: Any) -> Array:
    """DHWNC -> [D*ceil(N,C0)*H*W, ceil(C,N0), N0, C0]."""
    depth, h, w, n, c = a.shape
    blocks, columns = ceil(n, c0), ceil(c, n0)

    def index(d: int, y: int, x: int, i: int, j: int) -> int:
        return ((((d * blocks + i // c0) * h + y) * w + x) * columns * n0 + j) * c0 + i % c0

    return write(a, (depth * blocks * h * w, columns, n0, c0), index, fill)


def ndc1hwc0(a: Array, order: str, c0: int, fill: Any) -> Array:
    """Feature map -> [N,D,C1,H,W,C0]."""
    f = order_of(a, order, "NCDHW")
    n, c, depth, h, w = f.shape
    c1 = ceil(c, c0)

    def index(i: int, j: int, d: int, y: int, x: int) -> int:
        return ((((i * depth + d) * c1 + j // c0) * h + y) * w + x) * c0 + j % c0

    return write(f, (n, depth, c1, h, w, c0), index, fill)


def nc1hwc0(a: Array, order: str, c0: int, fill: Any) -> Array:
    """Feature map -> [N,C1,H,W,C0]."""
    storage = ndc1hwc0(a, order, c0, fill)
    return storage.reshape(storage.shape[0], *storage.shape[2:])


def c1hwc0(a: Array, order: str, c0: int, fill: Any) -> Array:
    """Feature map of one channel -> [ceil(N,C0),H,W,C0]."""
    f = order_of(a, order, "NHW") if "C" not in order else order_of(a, order, "NCHW")[:, 0]
    n, h, w = f.shape
    return write(
        f,
        (ceil(n, c0), h, w, c0),
        lambda i, y, x: ((i // c0 * h + y) * w + x) * c0 + i % c0,
        fill,
    )


def c1hwncoc0(a: Array, order: str, stored_n: int, c0: int, fill: Any) -> Array:
    """Filter on the diagonals of [C1,H,W,N,C0,C0]."""
    f = order_of(a, order, "NCHW")
    _, c, h, w = f.shape

    def index(i: int, j: int, y: int, x: int) -> int:
        block = ((j // c0 * h + y) * w + x) * stored_n + i
        return (block * c0 + j % c0) * c0 + j % c0

    return write(f, (ceil(c, c0), h, w, stored_n, c0, c0), index, fill)


def assert_same_array(found: Array, expected: Array) -> None:
    """Values, shape and dtype; NumPy before 1.24 has no such comparison."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)


def decode(storage: Array, format_number: int, original: Shape, **more: Any) -> tuple[Any, ...]:
    """(array, note, is_converted) of a float32 storage array."""
    return _core.decode(
        storage, FLOAT, storage.shape, format=format_number, original_shape=original, **more
    )


def assert_comes_back(logical: Array, storage: Array, format_number: int, **more: Any) -> None:
    array, note, is_converted = decode(storage, format_number, logical.shape, **more)
    assert is_converted, note
    assert_same_array(array, logical)


def values(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """1, 2, 3, ..."""
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
