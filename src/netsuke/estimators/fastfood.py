"""Random features of the Gaussian kernel in n log d operations."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from netsuke.errors import UsageError
from netsuke.estimators.convert.features import Grid
from netsuke.ir import Array, Graph, GraphBuilder, Quant
from netsuke.ops.fastfood import Fastfood, hadamard

GAUSS = 4.0 / 127.0
"""What one unit of a stored Gaussian number is; four deviations is the largest."""

TURN = 65536
LENGTHS = 128
"""Lengths get 7 bits: more of them would cost u as many."""


class FastfoodFeatures(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Features whose products approximate the Gaussian kernel, computed by Hadamard transforms.

    With d the next power of two to the number of features, blocks of d rows

        V = sqrt(2 γ / d) · S H G Π H B,     z(x) = sqrt(2 / n) · cos(V x + b)

    stand for the Gaussian matrix of random kitchen sinks: B is a diagonal of random signs, Π a
    permutation, G a diagonal of normal numbers, H the Hadamard matrix, and S gives each row the
    length of a normal vector, S_ii = s_i / ‖G‖ with s_i from the chi distribution of d degrees.
    Then E[z(x)ᵀ z(y)] = exp(-γ ‖x - y‖²). Time is O(n log d) and memory O(n), in place of O(n d).

    Le, Sarlós & Smola 2013, "Fastfood - Computing Hilbert Space Expansions in loglinear time",
    ICML, equations 3 and 4; the phases b as in Rahimi & Recht 2007.

    Parameters
    ----------
    gamma
        γ of the kernel, or ``"scale"`` for 1 / (features · variance of X).
    n_components
        Features to make, n.
    random_state
        Of the draws.

    Attributes
    ----------
    gamma_
        γ that was used.
    signs_, order_, gauss_
        ``(blocks, d)``: B, Π, and G in units of 4/127.
    lengths_
        ``(n,)`` s_i / ‖G‖.
    phases_
        ``(n,)`` b in parts of a turn: integers below 65536.
    n_features_in_
        Length of a row.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(4, 10))
    >>> Z = FastfoodFeatures(gamma=0.05, n_components=4096, random_state=0).fit_transform(X)
    >>> exact = np.exp(-0.05 * np.square(X[:, None] - X).sum(-1))
    >>> bool(np.abs(Z @ Z.T - exact).max() < 0.06)
    True
    """

    def __init__(
        self, gamma: float | str = 1.0, n_components: int = 100, random_state: Any = None
    ) -> None:
        self.gamma = gamma
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> FastfoodFeatures:
        """Draw the matrices for rows of this length.

        Parameters
        ----------
        X
            ``(rows, features)`` of finite reals.
        y
            Not used.

        Raises
        ------
        ValueError
            When gamma or n_components is not positive.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        if self.n_components < 1:
            raise ValueError(f"n_components is positive, not {self.n_components}")
        variance = float(X.var())
        self.gamma_ = float(
            (1.0 / (X.shape[1] * variance) if variance else 1.0)
            if self.gamma == "scale"
            else self.gamma
        )
        if self.gamma_ <= 0:
            raise ValueError(f"gamma is positive, not {self.gamma_}")
        self._reach = float(np.abs(X).max())
        self._integers = bool((np.rint(X) == X).all()) and X.min() >= -128 and X.max() <= 255
        self._signed = bool(X.min() < 0)
        self._draw(1 << max(1, int(X.shape[1] - 1).bit_length()))
        return self

    def _draw(self, d: int) -> None:
        random = check_random_state(self.random_state)
        blocks = -(-self.n_components // d)
        self.signs_ = random.choice([-1, 1], size=(blocks, d)).astype(np.int8)
        self.order_ = np.stack([random.permutation(d) for _ in range(blocks)]).astype(np.int16)
        normal = random.normal(size=(blocks, d)) / GAUSS
        self.gauss_ = np.clip(np.rint(normal), -127, 127).astype(np.int8)
        size = np.linalg.norm(GAUSS * self.gauss_, axis=1)
        lengths = np.sqrt(random.chisquare(d, size=(blocks, d))) / np.maximum(size, 1e-9)[:, None]
        self.lengths_ = lengths.ravel()[: self.n_components]
        self.phases_ = random.randint(0, TURN, size=self.n_components)
        self._n_features_out = self.n_components

    def transform(self, X: Any) -> Array:
        """Features ``(rows, n_components)`` of rows ``(rows, features)``."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        blocks, d = self.signs_.shape
        angle = np.empty((len(X), blocks * d), X.dtype)
        for block in range(blocks):
            padded = np.zeros((len(X), d), X.dtype)
            padded[:, : X.shape[1]] = X * self.signs_[block, : X.shape[1]]
            mixed = _transformed(padded)[:, self.order_[block]]
            mixed *= (GAUSS * self.gauss_[block]).astype(X.dtype)
            angle[:, block * d : (block + 1) * d] = _transformed(mixed)
        angle = angle[:, : self.n_components]
        angle *= (np.sqrt(2 * self.gamma_ / d) * self.lengths_).astype(X.dtype)
        angle += (2 * np.pi / TURN * self.phases_).astype(X.dtype)
        np.cos(angle, out=angle)
        angle *= X.dtype.type(np.sqrt(2 / self.n_components))
        return angle

    def grid(self) -> Grid:
        """The integers in which a device sees the features; raw ones where they are small."""
        check_is_fitted(self)
        d, count = self.signs_.shape[1], self.n_features_in_
        if self._integers and d * (128 if self._signed else 255) < 1 << 15:
            dtype = "int8" if self._signed else "uint8"
            return Grid(dtype, np.ones(count), np.zeros(count, np.int64))
        # The first transform adds d of them up in 16 bits.
        largest = min(127, ((1 << 15) - 1) // d - 1)
        scale = float(np.float32(max(self._reach, 1e-6) / largest))
        return Grid("int8", np.full(count, scale), np.zeros(count, np.int64))

    def add_features(self, builder: GraphBuilder, x: str, step: float) -> str:
        """Append the node that computes the features in int8 and return its output's name.

        Parameters
        ----------
        builder
            The graph under construction.
        x
            Its tensor of stored features.
        step
            What one integer of them is worth in the units of `fit`.

        Raises
        ------
        UsageError
            When one integer already is more than a turn.
        """
        check_is_fitted(self)
        d = self.signs_.shape[1]
        turns = np.sqrt(2 * self.gamma_ / d) * self.lengths_ * GAUSS * step / (2 * np.pi)
        largest = float(turns.max()) * TURN
        shift = int(np.floor(np.log2(LENGTHS / largest)))
        if shift < 1:
            raise UsageError(
                f"gamma={self.gamma_:g} is too large for features in steps of {step:g}: a step "
                "turns the phase too far; scale the features or take a smaller gamma"
            )
        shift = min(shift, 22)
        constants = (
            ("signs", self.signs_),
            ("order", self.order_),
            ("gauss", self.gauss_),
            ("lengths", np.rint(turns * TURN * 2.0**shift).astype(np.uint8)),
            ("phases", self.phases_.astype(np.uint16).view(np.int16)),
        )
        names = [builder.constant(name, array) for name, array in constants]
        quant = Quant((float(np.sqrt(2 / self.n_components)) / 127.0,))
        return builder.one(Fastfood(shift), x, *names, name="random_features", quant=quant)

    def to_graph(self) -> Graph:
        """The integers that a device computes: the features in int8."""
        grid = self.grid()
        builder = GraphBuilder(type(self).__name__)
        x = builder.input("features", (self.n_features_in_,), grid.dtype, self.stored_quant())
        return builder.build([self.add_features(builder, x, float(grid.scale[0]))])

    def stored_quant(self) -> Quant:
        """The grid's quantization, with no more bits than the first transform can add up."""
        grid, d, bits = self.grid(), self.signs_.shape[1], 8
        quant = grid.quant
        while grid.dtype == "int8" and d << (bits - 1) >= 1 << 15:
            bits -= 1
        return Quant(quant.scale, quant.zero_point, quant.axis, bits, quant.scheme)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _transformed(rows: Array) -> Array:
    """The Hadamard transform of real rows ``(n, d)``, digit by digit of the index.

    H of 2^(a + b) is the Kronecker product of H of 2^a and H of 2^b. Each pass multiplies the last
    digit by a matrix of at most 16 x 16 and turns it to the front; that is O(d log d), and faster
    here than passes of single additions.
    """
    count, d = rows.shape
    bits = d.bit_length() - 1
    passes = -(-bits // 4)
    for number in range(passes):
        radix = 1 << (bits * (number + 1) // passes - bits * number // passes)
        matrix = hadamard(np.eye(radix, dtype=rows.dtype))
        rows = (rows.reshape(-1, radix) @ matrix).reshape(count, d // radix, radix)
        rows = rows.transpose(0, 2, 1).reshape(count, d)
    return rows
