"""Values that remember how they were made: run the net's lines on them, and every result knows its own formula."""

from collections.abc import Iterator, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any

import numpy as np

from lesson_lib.arrays import Array
from lesson_lib.network import PARAMETERS, Params, chain_rule, parameter_gradients, propagate

Place = tuple[int, int]  # of an entry: its row and column, counted from 0


class Traced:
    """An array together with the operation and operands that made it, and a name once it has been given one.

    It stands for one sample, a matrix with one row, or for parameters; the rate is a single number.
    """

    def __init__(self, value: Any, operation: str = "given", *operands: "Traced", name: str = "") -> None:
        self.value, self.operation, self.operands, self.name = value, operation, operands, name

    @property
    def T(self) -> "Traced":
        """The transpose; of a single number it is the number."""
        return Traced(self.value.T, "transpose" if self.value.size > 1 else "same", self)

    def __matmul__(self, other: "Traced") -> "Traced":
        return Traced(self.value @ other.value, "matmul", self, other)

    def __add__(self, other: "Traced") -> "Traced":
        return Traced(self.value + other.value, "plus", self, other)

    def __sub__(self, other: "Traced") -> "Traced":
        return Traced(self.value - other.value, "minus", self, other)

    def __mul__(self, other: "Traced") -> "Traced":
        is_number = not hasattr(self.value, "shape")
        return Traced(self.value * other.value, "scale" if is_number else "multiply", self, other)

    def __pow__(self, power: int) -> "Traced":
        return Traced(self.value**power, "square", self)

    def __truediv__(self, number: int) -> "Traced":
        return Traced(self.value / number, "half", self)

    def sum(self, axis: Any, keepdims: bool = False) -> "Traced":
        """Return the sum over the samples, which for one is itself, or over all squares."""
        total = self.value.sum(axis=axis, keepdims=keepdims)
        return Traced(total, "sum_of_squares" if self.operation == "square" else "same", self)

    def made_of(self) -> Iterator["Traced"]:
        """Return the named values that this one was made of, looking through those without a name."""
        return chain.from_iterable([part] if part.name else part.made_of() for part in self.operands)


def traced(params: Params) -> Any:
    """Return the net with traced parameters, for the lines of `network`; `with_arrays` gives what moved, by name."""
    return SimpleNamespace(
        **{name: Traced(getattr(params, name), name=name) for name in PARAMETERS},
        phi=lambda z1: Traced(params.phi(z1.value), params.activation, z1),
        phi_prime=lambda z1: Traced(params.phi_prime(z1.value), params.activation + "'", z1),
        with_arrays=dict,
    )


def trace_sample(params: Params, x: Array, y: Array) -> dict[str, Traced]:
    """Return all that is computed on one sample x (1, n_in), y (1, n_out), there and back, by name: "z1", "dW1", ..."""
    net, X, Y = traced(params), Traced(x), Traced(y)
    passed = propagate(net, X)
    factors = chain_rule(net, passed, passed.y_hat - Y)
    gradients = parameter_gradients(X, passed, factors)._asdict()
    terms = {"X": X, "Y": Y, **passed._asdict(), **factors._asdict()}
    terms |= {f"d{name}": gradient for name, gradient in gradients.items()}
    for name, term in terms.items():
        term.name = name
    return terms


def add_samples(parts: Sequence[Traced]) -> Traced:
    """Return the sum over the samples of one quantity; of a single sample it is the quantity itself."""
    total = sum((part.value for part in parts[1:]), parts[0].value)
    return Traced(total, "sum", *parts, name=parts[0].name) if len(parts) > 1 else parts[0]


def zeros(term: Traced) -> dict[Place, tuple[str, ...]]:
    """Name the factors that make an entry of a product 0, for each entry by its row and column."""
    return {place: zero_factors(term, *place) for place in np.ndindex(*term.value.shape)}


def zero_factors(term: Traced, row: int = 0, column: int = 0) -> tuple[str, ...]:
    """Name the factors that make entry (row, column) of a product 0; empty if it is not 0 or not a product's zero."""
    if term.value[row, column] != 0:
        return ()
    products = list(_products(term, row, column))
    if not products:
        return (term.name,) if term.name else ()
    if not all(any(part.value[at] == 0 for part, at in product) for product in products):
        return ()  # the products are not 0 themselves, they cancel
    found = [zero_factors(part, *at) for product in products for part, at in product]
    return tuple(dict.fromkeys(name for names in found for name in names))


def _products(term: Traced, row: int, column: int) -> Iterator[list[tuple[Traced, Place]]]:
    """Yield the products that entry (row, column) is the sum of, each as (value, place) pairs."""
    if term.operation in ("same", "sum"):
        yield from ([(part, (row, column))] for part in term.operands)
    elif term.operation == "transpose":
        yield [(term.operands[0], (column, row))]
    elif term.operation == "multiply":
        yield [(part, (row, column)) for part in term.operands]
    elif term.operation == "matmul":
        left, right = term.operands
        yield from ([(left, (row, k)), (right, (k, column))] for k in range(left.value.shape[1]))
