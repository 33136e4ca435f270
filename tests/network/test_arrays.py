"""What may come into a room: one family of rules for arrays, whatever they hold, and many matrices in one array."""

import math
import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lesson_lib.arrays import (
    Stacked,
    as_array,
    as_fraction,
    as_rows,
    check_choice,
    check_neurons,
    is_symbolic,
    read_only,
    stack,
)

x = sympy.Symbol("x")
HALF, TENTH = Fraction(1, 2), Fraction(1, 10)


def kinds(array):
    """Return the Python types of the entries."""
    return {type(entry) for entry in array.flat}


# What comes in -----------------------------------------------------------------------------------------------------

# what is given, what it becomes, and whether it is exact without being asked for
GIVEN = {
    "whole numbers": ([[1, 2], [3, 4]], [[1, 2], [3, 4]], False),
    "tuples": (((1, 2), (3, 4)), [[1, 2], [3, 4]], False),
    "floats": ([[0.1, -2.5]], [[TENTH, Fraction(-5, 2)]], False),
    "a list of rows": ([np.array([0.1, 1.0]), np.array([2.0, 3.0])], [[TENTH, 1], [2, 3]], False),
    "float64": (np.array([[0.1, -0.0]]), [[TENTH, 0]], False),
    "float64 of the other byte order": (np.array([[0.1]], dtype=">f8"), [[TENTH]], False),
    "float32": (np.array([[0.1, 0.3]], dtype=np.float32), [[TENTH, Fraction(3, 10)]], False),
    "float16": (np.array([[0.1, -0.3]], dtype=np.float16), [[TENTH, Fraction(-3, 10)]], False),
    "a float32 in a list": ([[np.float32(0.1), 1]], [[TENTH, 1]], False),
    "int64": (np.array([[7, -7]]), [[7, -7]], False),
    "an int64 in a list": ([[np.int64(7)]], [[7]], False),
    "uint8": (np.array([[255]], dtype=np.uint8), [[255]], False),
    "whole numbers as objects": (np.array([[7]], dtype=object), [[7]], False),
    "a Fraction among floats": ([[HALF, 0.1]], [[HALF, TENTH]], True),
    "a Fraction last": ([[0.1, 1], [2, HALF]], [[TENTH, 1], [2, HALF]], True),
    "Fractions": (np.array([[HALF], [TENTH]], dtype=object), [[HALF], [TENTH]], True),
    "a SymPy matrix": (sympy.Matrix([[sympy.Rational(1, 2), 3]]), [[HALF, 3]], True),
    "a SymPy float": (sympy.ImmutableMatrix([[0.1]]), [[TENTH]], False),
    "a whole number of SymPy's": ([[sympy.Integer(3), 0.1]], [[3, TENTH]], True),
    "the largest and the smallest float": ([[1.5e308, 5e-324]], [[Fraction(15 * 10**307), Fraction("5e-324")]], False),
}


@pytest.mark.parametrize(("given_", "expected", "is_exact"), GIVEN.values(), ids=GIVEN)
def test_numbers_become_floats_or_the_fractions_they_were_written_as(given_, expected, is_exact):
    found, exact, floats = as_array(given_, "A"), as_array(given_, "A", exact=True), as_array(given_, "A", exact=False)
    assert exact.tolist() == expected
    assert kinds(exact) == {Fraction}
    assert floats.dtype == np.float64
    assert floats.tolist() == [[float(entry) for entry in row] for row in expected]
    assert found.dtype == (object if is_exact else np.float64)
    assert found.tolist() == (exact if is_exact else floats).tolist()
    for symbols in (None, True, False):
        same = as_array(given_, "A", exact=symbols, symbols=True)
        assert same.tolist() == as_array(given_, "A", exact=symbols).tolist()
        assert kinds(same) == kinds(as_array(given_, "A", exact=symbols))


@pytest.mark.parametrize(("given_", "expected", "is_exact"), GIVEN.values(), ids=GIVEN)
def test_a_table_holds_the_same_numbers_in_the_precision_they_came_in(given_, expected, is_exact):
    found = as_rows(given_, "A")
    came_as_numbers = isinstance(given_, np.ndarray) and given_.dtype != object
    assert found.dtype == given_.dtype if came_as_numbers else found.dtype.kind in "fi"
    assert found.tolist() == pytest.approx(np.array(expected, dtype=float), rel=1e-3)
    if came_as_numbers:
        assert found is given_ or found.base is given_


@given(arrays(np.float64, (2, 3), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_pass_unchanged_and_as_fractions_they_are_the_same_decimals(values):
    assert as_array(values, "A").tolist() == values.tolist()
    assert as_array(values.tolist(), "A").tolist() == values.tolist()
    exact = as_array(values, "A", exact=True)
    assert exact.tolist() == [[Fraction(repr(entry)) for entry in row] for row in values.tolist()]
    assert as_array(exact, "A", exact=False).tolist() == values.tolist()


@given(arrays(np.float32, (1, 2), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_a_short_float_is_the_decimal_that_it_prints_as(values):
    written = [[Fraction(str(entry)) for entry in row] for row in values]
    assert as_array(values, "A", exact=True).tolist() == written
    assert as_array(values, "A").tolist() == [[float(entry) for entry in row] for row in written]


def test_letters_and_roots_stand_among_numbers_where_they_are_welcome():
    root = sympy.sqrt(2)
    for exact in (None, True):
        found = as_array([[x, 0.1, 3], [x**2 + 1, root, HALF]], "A", exact=exact, symbols=True)
        assert found.tolist() == [[x, TENTH, 3], [x**2 + 1, root, HALF]]
        assert [type(entry) for entry in found[0, 1:]] == [Fraction, Fraction]
    assert as_array(sympy.Matrix([[x, 1]]), "A", symbols=True).tolist() == [[x, 1]]
    assert as_array([[x, 0.1]], "A", symbols=True).tolist() == [[x, TENTH]]


@pytest.mark.parametrize("bad", [x, sympy.sqrt(2), sympy.pi], ids=str)
@pytest.mark.parametrize("exact", [None, True, False])
def test_letters_and_roots_are_refused_otherwise(bad, exact):
    for take in (lambda value: as_array(value, "A", exact=exact), lambda value: as_rows(value, "A")):
        with pytest.raises(ValueError, match=f"^{re.escape(f'A must hold numbers; got {bad}')}$"):
            take([[1, bad]])


def test_a_float_of_sympys_is_the_float_next_to_it():
    third, many_digits = sympy.Float(1 / 3), sympy.Float("0.1000000000000000055511151231257827", 30)
    assert as_array([[third]], "A").tolist() == as_rows([[third]], "A").tolist() == [[1 / 3]]
    assert as_fraction(many_digits) == TENTH


class Tensor:
    """What `arrays` asks of a torch tensor, for those who have no PyTorch."""

    def __init__(self, array, dtype):
        self.array, self.dtype, self.steps = array, dtype, []

    def step(self, name):
        self.steps.append(name)
        return self

    def detach(self):
        return self.step("detach")

    def cpu(self):
        return self.step("cpu")

    def float(self):
        return self.step("float")

    def numpy(self):
        return self.step("numpy").array


@pytest.mark.parametrize(
    ("dtype", "steps"),
    [("torch.float64", ["detach", "cpu", "numpy"]), ("torch.bfloat16", ["detach", "cpu", "float", "numpy"])],
)
def test_a_tensor_is_taken_out_of_its_graph_and_of_its_device(dtype, steps):
    for take in (as_array, as_rows):
        tensor = Tensor(np.array([[0.1, 7.0]]), dtype)
        assert take(tensor, "A").tolist() == [[0.1, 7]]
        assert tensor.steps == steps


def test_a_tensor_in_a_list_is_taken_too_and_one_without_numbers_is_refused_by_name():
    class Sparse(Tensor):
        def numpy(self):
            raise TypeError("it has no strides")

    row = Tensor(np.array([1.5, 2.0]), "torch.float64")
    assert as_array([row, [3, 4]], "A").tolist() == [[1.5, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"^A must be a plain tensor: it has no strides$"):
        as_array([Sparse([], "torch.float64"), [3, 4]], "A")


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_torch_tensor_counts_as_its_numbers(dtype, requires_grad):
    import torch

    whole = dtype == "int64"
    tensor = torch.tensor([[3, 7]] if whole else [[0.1, 0.7]], dtype=getattr(torch, dtype))
    tensor.requires_grad = requires_grad and not whole
    assert as_array(tensor, "A").tolist() == ([[3, 7]] if whole else [[0.1, 0.7]])
    assert as_array(tensor, "A", exact=True).tolist() == ([[3, 7]] if whole else [[TENTH, Fraction(7, 10)]])
    assert as_rows(tensor, "A").dtype == dtype
    assert as_rows(tensor, "A").tolist() == tensor.detach().tolist()
    as_array(tensor, "A").view()
    assert tensor.requires_grad is (requires_grad and not whole)


@pytest.mark.torch
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_bfloat16_tensor_counts_as_its_numbers(requires_grad):
    import torch

    tensor = torch.tensor([[0.1, -3.0]], dtype=torch.bfloat16, requires_grad=requires_grad)
    assert as_array(tensor, "A").tolist() == pytest.approx(np.array([[0.10009765625, -3]]), rel=1e-8)
    assert as_array(tensor, "A", exact=True)[0, 1] == -3
    assert as_rows(tensor, "A").tolist() == [[0.10009765625, -3]]
    assert as_rows(tensor, "A").dtype == np.float32


@pytest.mark.torch
def test_a_tensor_of_booleans_or_of_the_wrong_shape_is_refused():
    import torch

    with pytest.raises(ValueError, match=r"^A must hold numbers; got "):
        as_array(torch.tensor([[True]]), "A")
    with pytest.raises(ValueError, match=r"^A must have two dimensions, .* got shape \(1,\)$"):
        as_array(torch.tensor([1.0]), "A")


# What is refused, by name ------------------------------------------------------------------------------------------

TWO_DIMENSIONS = "must have two dimensions, rows and columns, none empty; got shape {}"
REFUSED = {
    "a number": (3, TWO_DIMENSIONS.format("()")),
    "nothing": (None, TWO_DIMENSIONS.format("()")),
    "a text": ("1, 2", TWO_DIMENSIONS.format("()")),
    "one dimension": ([1, 2], TWO_DIMENSIONS.format("(2,)")),
    "three dimensions": ([[[1]]], TWO_DIMENSIONS.format("(1, 1, 1)")),
    "no rows": ([], TWO_DIMENSIONS.format("(0,)")),
    "no columns": ([[]], TWO_DIMENSIONS.format("(1, 0)")),
    "no rows of two": (np.empty((0, 2)), TWO_DIMENSIONS.format("(0, 2)")),
    "no columns in two rows": (np.empty((2, 0)), TWO_DIMENSIONS.format("(2, 0)")),
    "ragged rows": ([[1, 2], [3]], "must have rows of equal length; got [[1, 2], [3]]"),
    "texts": ([["1", "2"]], "must hold numbers; got '1'"),
    "a text among numbers": ([[1, "2"]], "must hold numbers; got '2'"),
    "a long text, in short": ([["a" * 10**6]], "must hold numbers; got 'aaaaaaaaaaaa...aaaaaaaaaaaaa'"),
    "many ragged rows, in short": ([[1]] * 9 + [[]], f"must have rows of equal length; got [{'[1], ' * 6}...]"),
    "nothing among numbers": ([[None, 1]], "must hold numbers; got None"),
    "a boolean": ([[True, 0.5]], "must hold numbers; got True"),
    "a boolean of NumPy's": ([[0.5, np.False_]], "must hold numbers; got np.False_"),
    "booleans": (np.array([[True]]), "must hold numbers; got np.True_"),
    "a complex number": ([[0, 1j]], "must hold numbers; got 1j"),
    "complex numbers": (np.array([[1j]]), "must hold numbers; got np.complex128(1j)"),
    "a Decimal": ([[Decimal("0.1")]], "must hold numbers; got Decimal('0.1')"),
    "a date": (np.array([["2024"]], dtype="M8[Y]"), "must hold numbers; got np.datetime64('2024')"),
    "a mask": (np.ma.array([[1.0, 2.0]], mask=[[False, True]]), "must be a plain array; got a masked one"),
    "a mask that hides nothing": (np.ma.array([[1.0]]), "must be a plain array; got a masked one"),
}
NOT_FINITE = {
    "nan": ([[1, math.nan]], "must hold finite numbers; got nan"),
    "inf": ([[math.inf, 1]], "must hold finite numbers; got inf"),
    "-inf": ([[1], [-math.inf]], "must hold finite numbers; got -inf"),
    "nan in float64": (np.array([[1, math.nan]]), "must hold finite numbers; got nan"),
    "-inf in float64": (np.array([[1, -math.inf]]), "must hold finite numbers; got -inf"),
    "inf in float32": (np.array([[math.inf]], dtype=np.float32), "must hold finite numbers; got inf"),
    "nan among fractions": ([[HALF, math.nan]], "must hold finite numbers; got nan"),
}
TOO_LARGE = {
    "a whole number": 10**400,
    "a negative one": -(10**400),
    "a Fraction": Fraction(10**400, 3),
    "a number of SymPy's": sympy.Integer(10) ** 400,
}
NOT_REAL = {str(entry): entry for entry in (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo, sympy.I, 1 + sympy.I)}
EXACT = pytest.mark.parametrize("exact", [None, True, False])
SYMBOLS = pytest.mark.parametrize("symbols", [True, False])


@EXACT
@SYMBOLS
@pytest.mark.parametrize(("bad", "says"), [*REFUSED.values(), *NOT_FINITE.values()], ids=[*REFUSED, *NOT_FINITE])
def test_what_is_no_matrix_of_finite_numbers_is_refused_by_name(bad, says, exact, symbols):
    with pytest.raises(ValueError, match=f"^{re.escape(f'some W1 {says}')}$"):
        as_array(bad, "some W1", exact=exact, symbols=symbols)


@EXACT
@SYMBOLS
@pytest.mark.parametrize("bad", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_number_beyond_floats_is_refused_by_name(bad, exact, symbols):
    with pytest.raises(ValueError, match=r"^A must hold finite numbers; got (one that is too large|inf)$"):
        as_array([[1, bad]], "A", exact=exact, symbols=symbols)


@pytest.mark.parametrize("exact", [None, True])
@pytest.mark.parametrize("bad", NOT_REAL.values(), ids=NOT_REAL)
def test_sympys_numbers_must_be_finite_and_real(bad, exact):
    for value in ([[1, bad]], sympy.Matrix([[1, bad]])):
        with pytest.raises(ValueError, match=rf"^A must hold finite real numbers; got {re.escape(str(bad))}$"):
            as_array(value, "A", exact=exact, symbols=True)
        with pytest.raises(ValueError, match=rf"^A must hold numbers; got {re.escape(str(bad))}$"):
            as_array(value, "A", exact=exact)


def test_letters_cannot_become_floats():
    with pytest.raises(ValueError, match=r"^A must"):
        as_array([[x]], "A", exact=False, symbols=True)


@pytest.mark.parametrize("bad", [sympy.true, x > 0], ids=str)
def test_a_statement_of_sympys_is_no_number(bad):
    with pytest.raises(ValueError, match=r"^A must hold numbers; got "):
        as_array([[bad]], "A", symbols=True)


SHAPE = "must have shape (n_rows, n_neurons), at least (1, 1); got {}"
NO_TABLE = REFUSED | {
    name: (bad, SHAPE.format(says.partition("got shape ")[2]))
    for name, (bad, says) in REFUSED.items()
    if "got shape" in says
}
NO_TABLE |= {
    "complex numbers": (np.array([[1j]]), "must hold numbers; got np.complex128(1j)"),
    "texts of NumPy's": (np.array([["a"]]), "must hold numbers; got np.str_('a')"),
    "a date": (np.array([["2024"]], dtype="M8[Y]"), "must hold numbers; got np.datetime64('2024')"),
    "a mask in short floats": (np.ma.array([[1.0]], dtype=np.float32), "must be a plain array; got a masked one"),
}
for kind in ("booleans", "a boolean", "a boolean of NumPy's"):
    del NO_TABLE[kind]  # a table may hold them: open or shut


@pytest.mark.parametrize(("bad", "says"), NO_TABLE.values(), ids=NO_TABLE)
def test_what_is_no_table_of_real_numbers_is_refused_by_name(bad, says):
    with pytest.raises(ValueError, match=f"^{re.escape(f'clean {says}')}$"):
        as_rows(bad, "clean")


@pytest.mark.parametrize("bad", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_table_with_a_number_beyond_floats_is_refused_by_name(bad):
    with pytest.raises(ValueError, match=r"^clean must hold"):
        as_rows([[1, bad]], "clean")


def test_a_table_leaves_numbers_that_are_not_finite_to_its_reader():
    for bad, _ in NOT_FINITE.values():
        if isinstance(bad, np.ndarray):
            assert as_rows(bad, "A") is bad
            assert as_rows(bad.tolist(), "A").shape == bad.shape


def test_a_table_needs_the_rows_it_is_asked_for_and_says_so():
    assert as_rows(np.empty((0, 2)), "A", least=0).shape == (0, 2)
    assert as_rows(np.empty((0, 2), dtype=object), "A", least=0).shape == (0, 2)
    assert as_rows([[1], [2]], "A", least=2).shape == (2, 1)
    for rows, columns, least in ((0, 2, 1), (1, 2, 2), (2, 0, 1), (2, 0, 0)):
        says = f"A must have shape (n, 2), at least ({least}, 1); got ({rows}, {columns})"
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            as_rows(np.empty((rows, columns)), "A", "(n, 2)", least)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8, np.uint16, bool])
def test_a_table_is_not_copied(dtype):
    values = np.ones((3, 2), dtype=dtype)
    assert np.shares_memory(as_rows(values, "A"), values)
    assert as_rows(values, "A").dtype == dtype
    assert values.flags.writeable


# What comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [[[1, 2]], np.array([[0.1]]), [[HALF]], np.array([[1.0]], dtype=np.float32)])
def test_what_comes_back_cannot_be_changed(value):
    for exact in (None, True, False):
        with pytest.raises(ValueError, match="read-only"):
            as_array(value, "A", exact=exact)[0, 0] = 7


@pytest.mark.parametrize("value", [np.array([[0.5, 1]]), np.array([[1, 2]]), np.array([[HALF, 1]], dtype=object)])
def test_what_comes_back_is_a_copy_and_the_given_array_stays_writeable(value):
    before = value.tolist()
    for exact in (None, True, False):
        found = as_array(value, "A", exact=exact)
        assert not np.shares_memory(found, value)
    value[0, 0] = 7
    assert found.tolist() == [[float(entry) for entry in row] for row in before]


def test_a_matrix_of_numpys_old_kind_becomes_a_plain_array():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        old = np.matrix([[1.0, 2.0]])
    assert type(as_array(old, "A")) is np.ndarray
    assert type(as_rows(old, "A")) is np.ndarray


def test_several_arrays_are_protected_at_once():
    one, other = np.ones(2), np.ones((2, 2))
    read_only(one, other)
    assert not one.flags.writeable
    assert not other.flags.writeable
    read_only()


# One number --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.1, TENTH),
        (np.float64(0.1), TENTH),
        (np.float32(0.1), TENTH),
        (np.float16(0.1), TENTH),
        (np.float32(16777216), 16777216),
        (1e-7, Fraction(1, 10**7)),
        (-2.5, Fraction(-5, 2)),
        (3, 3),
        (np.int64(3), 3),
        (2**80 + 1, 2**80 + 1),
        (HALF, HALF),
        (sympy.Rational(-1, 3), Fraction(-1, 3)),
        (sympy.Integer(4), 4),
        (sympy.Float("0.1"), TENTH),
    ],
    ids=repr,
)
def test_a_number_is_the_fraction_it_was_written_as(number, expected):
    found = as_fraction(number)
    assert found == expected
    assert type(found) is Fraction
    assert type(found.numerator) is type(found.denominator) is int


def test_symbolic_is_what_is_sympys():
    assert all(map(is_symbolic, (x, x + 1, sympy.sqrt(2), sympy.Integer(1), sympy.Float(0.5))))
    assert not any(map(is_symbolic, (1, 0.5, HALF, np.float64(1), "x", None)))


# Many matrices in one array ----------------------------------------------------------------------------------------


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


@pytest.mark.parametrize(("one", "other"), [((5, 7), (5, 7)), ((7,), (7,)), ((5, 1), (1, 7)), ((1, 1), (5, 7))])
def test_operations_act_on_each_matrix_and_broadcast_over_the_axes_behind(one, other):
    A, B, C = (values.view(Stacked) for values in (draw(2, 3, *one), draw(3, 2, *other), draw(2, 3, *other)))
    product, total, entries, turned = A @ B, A + C, A * C, A.T
    assert all(type(values) is Stacked for values in (product, total, entries, turned))
    behind = np.broadcast_shapes(one, other)
    assert product.shape == (2, 2, *behind)
    for place in np.ndindex(*behind):
        a, b, c = (np.broadcast_to(v, (*v.shape[:2], *behind))[(..., *place)].view(np.ndarray) for v in (A, B, C))
        assert product[(..., *place)] == pytest.approx(a @ b)
        assert total[(..., *place)].tolist() == (a + c).tolist()
        assert entries[(..., *place)].tolist() == (a * c).tolist()
        assert (A.T + 0 * B)[(..., *place)].tolist() == a.T.tolist()
    assert turned.shape == (3, 2, *one)


def test_a_plain_array_may_stand_on_the_right():
    A, B = draw(2, 3, 5).view(Stacked), draw(3, 4, 5)
    for i in range(5):
        assert (A @ B)[..., i] == pytest.approx(A[..., i].view(np.ndarray) @ B[..., i])
    assert type(A @ B) is Stacked


def test_one_matrix_alone_is_a_stack_of_one():
    A, B = draw(2, 3), draw(3, 4)
    assert A.view(Stacked) @ B.view(Stacked) == pytest.approx(A @ B)
    assert A.view(Stacked).T.tolist() == A.T.tolist()


def test_one_matrix_is_repeated_along_every_axis_behind():
    for counts in ((), (4,), (3, 4)):
        stacked = stack([[1, 2], [3, 4], [5, 6]], *counts)
        assert type(stacked) is Stacked
        assert stacked.shape == (3, 2, *counts)
        for place in np.ndindex(*counts):
            assert stacked[(..., *place)].tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_repeated_matrix_takes_no_memory_and_a_copy_can_be_changed():
    repeated = stack(np.ones((1, 2)), 10)
    assert repeated.strides[2] == 0
    copy = repeated.copy()
    copy[0, 0, 3] = 7
    assert (repeated == 1).all()
    assert copy[0, 0].tolist() == [1, 1, 1, 7, 1, 1, 1, 1, 1, 1]


def test_a_choice_is_refused_with_what_is_allowed():
    check_choice("rule", "b", ("a", "b"))
    with pytest.raises(ValueError, match=r"^rule must be one of a, b; got 'ab'$"):
        check_choice("rule", "ab", ("a", "b"))


# Neuron numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "neurons",
    [[2, 0], (2, 0), np.array([2, 0]), range(2, -1, -2), [2.0, 0.0]],
    ids=["list", "tuple", "array", "range", "floats"],
)
def test_neuron_numbers_become_an_array_in_their_order(neurons):
    found = check_neurons(neurons, 3)
    assert found.tolist() == [2, 0]
    assert found.dtype == np.intp


def test_no_neurons_are_an_array_too():
    assert check_neurons([], 3).tolist() == []
    assert check_neurons([], 3).dtype == np.intp


@pytest.mark.parametrize("neurons", [[3], [-1], [0, 3], [1, 1], [0.5], [[0], [1]], [[0, 1]], ["a"]], ids=repr)
def test_neuron_numbers_outside_the_layer_or_twice_are_refused(neurons):
    with pytest.raises(
        ValueError, match=f"^neurons must be different numbers from 0 to 2; got {re.escape(str(neurons))}$"
    ):
        check_neurons(neurons, 3)
