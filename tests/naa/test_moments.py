"""Moments: one pass agrees with NumPy whatever the type, the order and the cuts, and odd input is refused by name."""

import mmap
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_lib.naa import moments
from lesson_lib.naa.moments import Moments, blocks, check_columns, in_memory, measure, measure_classes

NUMBERS = st.floats(-1e6, 1e6, width=32)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def small_blocks(monkeypatch):
    """Work on few numbers at a time, so that small arrays have many blocks, and forget after each."""
    monkeypatch.setattr(moments, "BLOCK", 64)
    monkeypatch.setattr(moments, "FORGET", 1)


def assert_measured(found, rows, rel=1e-9):
    """Compare with NumPy's mean and variance, in float64."""
    rows = np.asarray(rows).astype(np.float64)
    assert found.n == len(rows)
    assert found.mean.dtype == found.m2.dtype == np.float64
    assert type(found.mean) is type(found.m2) is np.ndarray
    spread = rows.std(axis=0)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=rel, atol=rel * spread.max())
    np.testing.assert_allclose(found.m2, rows.var(axis=0) * len(rows), rtol=10 * rel, atol=1e-300)
    if len(rows) > 1:
        np.testing.assert_allclose(found.variance, np.var(rows, axis=0, ddof=1), rtol=10 * rel, atol=1e-300)


# Agreement with NumPy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "rel"),
    [
        (np.float64, 1e-12),
        (np.longdouble, 1e-12),
        (np.float32, 1e-6),
        (np.float16, 1e-6),
        (np.int8, 1e-12),
        (np.uint8, 1e-12),
        (np.int64, 1e-12),
        (np.uint64, 1e-12),
        (">f4", 1e-6),
        (">f8", 1e-12),
    ],
)
@pytest.mark.parametrize("block", [64, moments.BLOCK])
def test_every_real_type_agrees_with_numpy(rng, monkeypatch, dtype, rel, block):
    monkeypatch.setattr(moments, "BLOCK", block)
    rows = rng.normal(50, 20, (1000, 7)).clip(0, 100).astype(dtype)
    assert_measured(measure(rows), rows, rel)


def test_truth_values_count_as_0_and_1(rng):
    rows = rng.random((100, 3)) > 0.7
    assert_measured(measure(rows), rows)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 1), (5, 200), (63, 2), (65, 2), (4, 1000)])
def test_every_shape_agrees_with_numpy(rng, small_blocks, shape):
    rows = rng.normal(size=shape)
    assert_measured(measure(rows), rows)


def test_nested_lists_and_dataframe_like_objects_are_tables(rng):
    rows = rng.normal(size=(10, 3))

    class Frame:
        def __array__(self, dtype=None, copy=None):
            return rows

        def __iter__(self):
            return iter("abc")  # a DataFrame iterates over the names of its columns

    assert_measured(measure(rows.tolist()), rows)
    assert_measured(measure(tuple(map(tuple, rows.tolist()))), rows)
    assert_measured(measure(Frame()), rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_layout_in_memory_gives_the_same(rng, small_blocks, dtype):
    rows = rng.normal(2, 0.5, (300, 8)).astype(dtype)
    wide = np.repeat(np.repeat(rows, 2, axis=0), 3, axis=1)
    for view in (np.asfortranarray(rows), rows[::-1], rows[:, ::-1], rows.T.copy().T, wide[::2, ::3]):
        found = measure(view)
        assert_measured(found, view, 1e-6 if dtype == np.float32 else 1e-12)
    read_only = rows.copy()
    read_only.flags.writeable = False
    assert_measured(measure(read_only), rows, 1e-6)


def test_the_order_in_memory_changes_no_digit(rng):
    rows = rng.normal(size=(613, 64))
    for kind in (np.float32, np.float64):
        by_rows, by_columns = measure(rows.astype(kind)), measure(np.asfortranarray(rows, dtype=kind))
        assert (by_rows.mean == by_columns.mean).all()
        assert (by_rows.m2 == by_columns.m2).all()


def test_a_row_larger_than_a_block_is_a_block(small_blocks):
    assert [len(block) for block in moments.blocks(np.ones((3, 100)), "rows")] == [1, 1, 1]


def test_the_sums_of_single_precision_are_of_single_precision(rng):
    sums = moments._sums(rng.normal(size=(100, 8)).astype(np.float32), np.float32)
    assert (sums == sums.astype(np.float32)).all()


def test_measuring_changes_nothing(rng):
    rows = rng.normal(size=(100, 4)).astype(np.float32)
    before = rows.copy()
    measure(rows)
    in_memory(rows, "rows")
    assert (rows == before).all()


# Numerical range ---------------------------------------------------------------------------------------------------


def test_a_small_spread_around_a_large_mean_keeps_its_digits(rng, small_blocks):
    rows = 1e8 + rng.normal(0, 1e-2, (5000, 3))
    np.testing.assert_allclose(measure(rows).variance, (rows - 1e8).var(axis=0, ddof=1), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_drifting_rows_give_what_shuffled_ones_give(rng, small_blocks, dtype):
    rows = np.sort(rng.normal(100, 10, (4000, 3)), axis=0).astype(dtype)
    assert_measured(measure(rows), rows, 1e-6)
    assert_measured(measure(rng.permutation(rows)), rows, 1e-6)


def test_one_far_row_at_the_start_costs_no_digits(rng, small_blocks):
    rows = rng.normal(0, 1, (4000, 2)).astype(np.float32)
    rows[0] = 1e6
    assert_measured(measure(rows), rows, 1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("value", [0, 0.1, -7.3, 1e-5, 60000])
def test_a_constant_neuron_has_exactly_its_value_and_no_variance(small_blocks, dtype, value):
    rows = np.full((1001, 2), value, dtype)
    found = measure(rows)
    assert found.mean.tolist() == [float(dtype(value))] * 2
    assert found.m2.tolist() == [0, 0]


def test_half_precision_whose_sums_overflow_is_measured(rng):
    rows = rng.uniform(-60000, 60000, (5000, 3)).astype(np.float16)
    with np.errstate(over="ignore"):
        assert np.isinf((rows.astype(np.float16) ** 2).sum(axis=0)).all()
    assert_measured(measure(rows), rows, 1e-5)


@pytest.mark.parametrize("scale", [1e30, 1e-24, 1e-38])
def test_single_precision_whose_squares_do_not_fit_is_measured_in_double(rng, small_blocks, scale):
    rows = (rng.normal(1, 1, (500, 3)) * scale).astype(np.float32)
    assert_measured(measure(rows), rows, 1e-12)


def test_single_precision_falls_back_for_one_small_neuron_among_silent_and_large_ones(rng, small_blocks):
    rows = rng.normal(1, 1, (500, 3)).astype(np.float32)
    rows[:, 0], rows[:, 1] = rows[:, 0] * np.float32(1e-24), 0
    assert_measured(measure(rows), rows, 1e-6)


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (np.ones((9, 2), np.float16), [np.float32]),  # a constant neuron has no squares, and they are not too small
        (np.eye(9, dtype=np.float32), [np.float32]),
        (np.full((9, 2), 1e-24, np.float32) * np.arange(9, dtype=np.float32)[:, None], [np.float32, np.float64]),
        (np.full((9, 2), 1e30, np.float32) * np.arange(9, dtype=np.float32)[:, None], [np.float32, np.float64]),
        (np.eye(9), [np.float64]),
        (np.eye(9, dtype=np.longdouble), [np.float64]),
        (np.eye(9, dtype=np.int8), [np.float64]),
        (np.eye(9, dtype=bool), [np.float64]),
    ],
)
def test_single_precision_is_summed_in_single_precision_where_that_is_enough(monkeypatch, rows, kinds):
    used, sums = [], moments._sums
    monkeypatch.setattr(moments, "_sums", lambda *given: used.append(given[-1]) or sums(*given))
    assert_measured(measure(rows), rows, 1e-6)
    assert used == kinds


def test_the_mean_of_single_precision_is_finer_than_single_precision(rng, small_blocks):
    rows = (1e4 + rng.integers(0, 4, (1000, 3)) / 1024).astype(np.float32)  # neighbours in single precision
    np.testing.assert_allclose(measure(rows).mean, rows.astype(np.float64).mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("scale", [1, 1e30, 1e-24, 1e-38])
def test_a_caller_who_wants_to_hear_of_every_rounding_hears_of_none(rng, small_blocks, scale):
    rows = (rng.normal(1, 1, (500, 3)) * scale).astype(np.float32)
    with np.errstate(all="raise"):
        found = measure(rows)
    assert_measured(found, rows, 1e-6)


def test_extended_precision_beyond_double_is_refused_without_a_warning():
    for take in (measure, lambda rows: in_memory(rows, "activations")):
        with pytest.raises(ValueError, match=r"^activations must hold finite numbers.*neuron 1 does not"):
            take(np.array([[1, np.longdouble("1e4000")]]))


@pytest.mark.parametrize("take", [measure, lambda rows: in_memory(rows, "activations")])
def test_the_largest_number_is_the_first_that_is_refused(take):
    below = np.nextafter(moments.LARGEST, 0)
    take([[below], [-below]])
    with pytest.raises(ValueError, match=r"^activations must hold finite numbers, small enough to be squared"):
        take([[moments.LARGEST]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("row", [0, 70, 199])
def test_values_that_are_not_finite_are_refused_and_located(rng, small_blocks, value, dtype, row):
    rows = rng.normal(size=(200, 4)).astype(dtype)
    rows[row, 2] = value
    for take in (lambda: measure(rows, "suspect"), lambda: in_memory(rows, "suspect")):
        with pytest.raises(ValueError, match=r"suspect must hold finite numbers, .*; neuron 2 does not"):
            take()


@pytest.mark.parametrize("high", [1e160, 1e200, 1.7e308])
@pytest.mark.parametrize("low", [0.0, "the same", "its opposite"])
def test_values_too_large_to_be_squared_are_refused(high, low):
    rows = np.ones((300, 3))
    rows[:, 1] = high
    rows[::2, 1] = {"the same": high, "its opposite": -high}.get(low, low)
    for take in (measure, lambda part: measure([part[1:2], part]), lambda part: in_memory(part, "activations")):
        with pytest.raises(ValueError, match="small enough to be squared; neuron 1 does not"):
            take(rows)


# What is no table of numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.ones(3), r"must have shape \(n_rows, n_neurons\), at least \(1, 1\); got \(3,\)"),
        (np.ones((2, 2, 2)), r"got \(2, 2, 2\)"),
        (np.ones((0, 3)), "at least"),
        (np.ones((3, 0)), r"got \(3, 0\)"),
        (5.0, r"got \(\)"),
        ([], r"got \(0,\)"),
        ([[]], r"got \(1, 0\)"),
        ([[1, 2], [3]], "rows of equal length"),
        ([[[1, 2], [3]], [[1, 2]]], "rows of equal length"),
        (np.ones((2, 2), complex), r"must hold numbers; got np.complex128\(1\+0j\)"),
        (np.array([["a", "b"]]), "must hold numbers; got np.str_\\('a'\\)"),
        (np.array([[b"a"]]), "must hold numbers; got np.bytes_\\(b'a'\\)"),
        (np.array([[1, None]], dtype=object), "must hold numbers; got None"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "must hold numbers; got np.datetime64"),
        (np.zeros((2, 2), dtype=[("a", "f4")]), "must hold numbers"),
        (np.ma.masked_less(np.ones((2, 2)), 2), "must be a plain array; got a masked one"),
        (None, r"must have shape .*; got \(\)"),
        ("text", r"must have shape .*; got \(\)"),
        ({"a": np.ones((2, 2))}, "must have shape"),
    ],
)
def test_what_is_no_table_is_refused_by_name(values, says):
    for take in (lambda: measure(values, "clean"), lambda: in_memory(values, "clean")):
        with pytest.raises(ValueError, match=says) as caught:
            take()
        assert str(caught.value).startswith("clean must")


def test_another_shape_can_be_named():
    with pytest.raises(ValueError, match=re.escape("outgoing must have shape (n_neurons, n_out), at least (1, 1)")):
        in_memory([1, 2], "outgoing", "(n_neurons, n_out)")


def test_what_has_no_other_name_is_called_activations():
    for take in (measure, lambda values: list(blocks(values))):
        with pytest.raises(ValueError, match=r"^activations must have shape"):
            take(np.ones(3))


def test_rows_of_another_width_are_refused_with_what_they_must_match():
    assert check_columns([[1, 2]], "X", 2, " to match W1").tolist() == [[1.0, 2.0]]
    for bad, says in (
        ([[1, 2]], "X must have 3 columns to match W1; got shape (1, 2)"),
        ([1, 2, 3], "X must have shape (n_rows, n_neurons), at least (1, 1); got (3,)"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
            check_columns(bad, "X", 3, " to match W1")


# Batches -----------------------------------------------------------------------------------------------------------


@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    data=st.data(),
)
def test_neither_cuts_nor_order_matter(rows, cuts, data):
    rows = np.array(rows)
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    batches = [rows[start:end] for start, end in pairwise(edges)]  # some are empty
    shuffled = np.array(data.draw(st.permutations(rows.tolist())))
    scale = max(1, abs(rows).max())
    for found in (measure(rows), measure(iter(batches)), measure(batches), measure(shuffled)):
        assert found.n == len(rows)
        np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(found.m2, rows.var(axis=0) * len(rows), rtol=1e-9, atol=1e-12 * scale**2)


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6), min_size=2, max_size=5), st.data())
def test_moments_merge_to_those_of_the_whole_in_any_order(parts, data):
    order = data.draw(st.permutations(parts))
    merged = measure(order[0])
    for part in order[1:]:
        merged = merged + measure(part)
    whole = np.array([row for part in parts for row in part])
    scale = max(1, abs(whole).max())
    assert merged.n == len(whole)
    np.testing.assert_allclose(merged.mean, whole.mean(axis=0), rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(merged.m2, whole.var(axis=0) * len(whole), rtol=1e-9, atol=1e-12 * scale**2)


def test_one_row_has_a_mean_and_no_variance():
    found = measure([[1.5, 2.5]])
    assert (found.n, found.mean.tolist(), found.m2.tolist()) == (1, [1.5, 2.5], [0, 0])
    assert np.isnan(found.variance).all()


def test_a_stream_is_read_once_and_may_mix_types_and_hold_empty_batches(rng):
    rows = rng.integers(0, 50, (100, 3))
    stream = iter([rows[:0], rows[:10].astype(np.float32), rows[10:60].tolist(), rows[:0], rows[60:]])
    assert_measured(measure(stream), rows)
    assert next(stream, None) is None
    assert (in_memory([rows[:0], rows[:10].tolist(), rows[10:]], "rows") == rows).all()


def test_lists_of_tables_are_batches_and_lists_of_rows_are_a_table():
    rows = [[1.0, 2.0], [3.0, 5.0], [8.0, 4.0]]
    for values in (rows, tuple(rows), [rows[:1], rows[1:]], (tuple(rows[:2]), rows[2:])):
        assert_measured(measure(values), rows)
        assert in_memory(values, "rows").tolist() == rows


@pytest.mark.parametrize("take", [measure, lambda batches: in_memory(batches, "activations")])
@pytest.mark.parametrize(
    ("batches", "says"),
    [
        ([], "at least"),
        ([np.ones((0, 3))], "at least"),
        ([np.ones((2, 3)), np.ones((2, 4))], "must be batches of equal width"),
        ([np.ones((2, 3)), np.ones((2, 40_000))], "must be batches of equal width"),
        ([np.ones(3), np.ones(3)], r"must have shape \(n_rows, n_neurons\)"),
        ([np.ones((2, 3)), None], r"must have shape .*; got \(\)"),
    ],
)
def test_streams_that_do_not_fit_are_refused(take, batches, says):
    with pytest.raises(ValueError, match=says):
        take(batch for batch in batches)


def test_an_error_inside_a_stream_comes_through():
    def stream():
        yield np.ones((2, 2))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        measure(stream())


# Memory maps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_memory_maps_agree_with_numpy(rng, small_blocks, tmp_path, order, mode):
    rows = np.array(rng.normal(size=(3000, 5)), dtype=np.float32, order=order)
    np.save(tmp_path / "a.npy", rows)
    found = np.load(tmp_path / "a.npy", mmap_mode=mode)
    raw = np.memmap(tmp_path / "a.npy", np.float32, mode, 128, rows.shape, order)
    for mapped in (found, raw, found[10:-10], np.asarray(found), found[::-1]):
        assert_measured(measure(mapped), mapped, 1e-6)
    assert_measured(measure(iter([found[:100], found[100:]])), rows, 1e-6)


@pytest.mark.parametrize("mode", ["c", "r+", "w+"])
@pytest.mark.parametrize("view", [lambda a: a, np.asarray])
def test_changes_of_a_mapped_array_are_kept(rng, small_blocks, tmp_path, mode, view):
    path = tmp_path / "a.dat"
    np.zeros((4000, 8), np.float32).tofile(path)
    mapped = np.memmap(path, np.float32, mode, shape=(4000, 8))
    rows = rng.normal(size=mapped.shape).astype(np.float32)
    mapped[:] = rows
    assert_measured(measure(view(mapped)), rows, 1e-6)
    assert (mapped == rows).all()


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="this system cannot give memory back")
@pytest.mark.parametrize(("forget", "times"), [(3 * 2**19 + 5, 4), (1, 14)])
def test_the_memory_of_a_file_that_was_read_is_given_back(monkeypatch, tmp_path, forget, times):
    asked = []

    class Pages(mmap.mmap):
        def madvise(self, *what):
            asked.append(what)
            return super().madvise(*what)

    monkeypatch.setattr(mmap, "mmap", Pages)
    monkeypatch.setattr(moments, "BLOCK", 2**17)  # 512 rows, 2**19 bytes
    monkeypatch.setattr(moments, "FORGET", forget)
    for mode in ("w+", "r+", "r", "c"):
        mapped = np.memmap(tmp_path / "a.dat", np.float32, mode, shape=(14 * 512, 256))
        for view in (mapped, np.asarray(mapped)):
            asked.clear()
            measure(view)
            assert asked == [(mmap.MADV_DONTNEED,)] * (0 if mode == "c" else times), mode


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_file_of_half_a_gigabyte_is_measured_in_little_memory(tmp_path):
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**18, 512)}
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2**29)  # a hole in the file: reads as zeros, takes no room on the disk
    code = (
        "import sys, numpy as np; from lesson_lib.naa.moments import measure\n"
        "assert measure(np.load(sys.argv[1], mmap_mode='r')).n == 2**18\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])"
    )
    command = [sys.executable, "-c", code, tmp_path / "a.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300_000  # kB


# Dask --------------------------------------------------------------------------------------------------------------


@pytest.mark.dask
@pytest.mark.parametrize("chunks", [(30, 4), (7, 3), (100, 1), -1])
def test_dask_arrays_agree_with_numpy_whatever_their_chunks(rng, chunks):
    import dask.array as array

    rows = rng.normal(2, 0.5, (100, 4))
    assert_measured(measure(array.from_array(rows, chunks=chunks)), rows)
    assert (in_memory(array.from_array(rows, chunks=chunks), "rows") == rows).all()


@pytest.mark.dask
def test_a_dask_array_may_have_one_neuron(rng):
    import dask.array as array

    rows = rng.normal(size=(10, 1))
    assert_measured(measure(array.from_array(rows, chunks=3)), rows)


@pytest.mark.dask
def test_a_filtered_dask_array_may_have_empty_blocks_of_unknown_length(rng):
    import dask.array as array

    rows = rng.normal(size=(100, 3))
    rows[20:40, 0] = -5
    lazy = array.from_array(rows, chunks=(20, 2))
    assert_measured(measure(lazy[lazy[:, 0] > 0]), rows[rows[:, 0] > 0])
    with pytest.raises(ValueError, match="clean must have at least one row; got none"):
        measure(lazy[lazy[:, 0] > 100], "clean")


@pytest.mark.dask
def test_odd_dask_arrays_are_refused_by_name(rng):
    import dask.array as array

    rows = rng.normal(size=(10, 3))
    rows[7, 1] = np.nan
    for values, says in (
        (array.ones(5), r"must have shape \(n_rows, n_neurons\)"),
        (array.ones((5, 0)), r"must have shape \(n_rows, n_neurons\)"),
        (array.ones((5, 2), dtype=complex), "must hold numbers; got np.complex128"),
        (array.from_array(rows, chunks=(5, 3)), "must hold finite numbers, .* neuron 1 does not"),
    ):
        with pytest.raises(ValueError, match=says) as caught:
            measure(values, "clean")
        assert str(caught.value).startswith("clean ")


@pytest.mark.dask
@pytest.mark.filterwarnings("ignore:Sending large graph:UserWarning")
def test_a_cluster_computes_the_blocks(rng, tmp_path):
    import dask.array as array
    import distributed

    rows = rng.normal(2, 0.5, (4000, 8))
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "local_directory": str(tmp_path)}
    with distributed.Client(processes=True, host="127.0.0.1", **options) as client:
        found = measure(array.from_array(rows, chunks=(500, 3)))
        assert len(client.scheduler_info()["workers"]) == 2
    assert_measured(found, rows)
    assert isinstance(found, Moments)


def test_classes_are_measured_over_many_batches_in_double_precision():
    rng = np.random.default_rng(0)
    rows = (1e4 + rng.normal(size=(300, 3))).astype(np.float32)
    codes = rng.integers(0, 3, size=300)
    found = measure_classes([rows[:70], rows[70:160], rows[160:]], codes, 4)
    for code in range(3):
        exact = rows[codes == code].astype(np.float64)
        assert found[code].n == len(exact)
        np.testing.assert_allclose(found[code].mean, exact.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found[code].m2, exact.var(axis=0) * len(exact), rtol=1e-9)
    assert found[3].n == 0
