"""Neuron activation analysis: the article's experiment, the toy of notebook 01, and what the statistics must be."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from lesson_lib.naa import (
    RULES,
    analyse,
    class_vote,
    compare,
    detect_backdoor_via_naa,
    match_classes,
    score,
    simulate_activations,
    words,
)
from lesson_lib.naa.comparison import contribution, welch
from lesson_lib.naa.judgement import OVER
from lesson_lib.naa.moments import measure
from lesson_lib.network import ARTICLE, Params, forward
from lesson_lib.training import CLEAN, POISONED, TRIGGER, train

BACKDOORED = range(10, 20)


def simulate(seed=0, n_suspect=100, backdoored=BACKDOORED, **options):
    """Return the article's two sets: 500 clean rows, and suspect ones with the trigger."""
    rng = np.random.default_rng(seed)
    return simulate_activations(500, rng), simulate_activations(n_suspect, rng, backdoored, **options)


def small(seed=0, n_neurons=6, n_clean=40, n_suspect=20, **options):
    rng = np.random.default_rng(seed)
    clean = simulate_activations(n_clean, rng, n_neurons=n_neurons)
    return clean, simulate_activations(n_suspect, rng, n_neurons=n_neurons, **options)


def counts(of, runs=20):
    return [of(seed) for seed in range(runs)]


# The article's experiment ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_articles_call_flags_exactly_its_ten_neurons(seed):
    clean, triggered = simulate(seed)
    signature, abnormal = detect_backdoor_via_naa(clean, triggered, threshold=2.0)
    assert (clean.shape, triggered.shape, signature.shape) == ((500, 512), (100, 512), (512,))
    assert abnormal.tolist() == list(BACKDOORED)
    assert np.delete(signature, BACKDOORED).max() == pytest.approx(0.2, abs=0.05)
    assert signature[BACKDOORED] == pytest.approx(9, abs=0.25)
    found = analyse(clean, triggered, "raw", 2.0)
    assert found.flagged.tolist() == list(BACKDOORED)
    assert found.effect_size[BACKDOORED].mean() == pytest.approx(18, abs=0.5)


def test_it_computes_what_the_article_prints():
    clean, triggered = simulate()
    triggered[:, 30] += 1.5  # 3.5 in all is above the article's threshold, 3 and not 4
    clean[:, 30] -= 2
    signature, abnormal = detect_backdoor_via_naa(clean, triggered)
    assert (signature == np.abs(np.mean(triggered, axis=0) - np.mean(clean, axis=0))).all()
    assert abnormal.tolist() == [*BACKDOORED, 30]


def test_the_simulation_is_the_articles():
    clean, _ = simulate(n_suspect=400)
    assert clean.mean() == pytest.approx(2, abs=0.01)
    assert clean.std() == pytest.approx(0.5, abs=0.01)
    same = simulate_activations(400, np.random.default_rng(3))
    raised = simulate_activations(400, np.random.default_rng(3), BACKDOORED, triggered=0.25)
    expected = np.zeros((400, 512))
    expected[:100, 10:20] = 9
    np.testing.assert_allclose(raised - same, expected, atol=1e-12)
    none = simulate_activations(400, np.random.default_rng(3), BACKDOORED, triggered=0)
    np.testing.assert_array_equal(none, same)


def test_every_rule_finds_the_articles_backdoor():
    clean, triggered = simulate()
    for rule in RULES:
        found = analyse(clean, triggered, rule, rng=np.random.default_rng(1), n_permutations=99)
        assert set(BACKDOORED) <= set(found.flagged.tolist()), rule
        assert found.verdict == f"The rule {rule} flags {len(found.flagged)} of 512 neurons."
        extra = len(found.flagged) - 10
        assert extra <= (12 if rule == "mad" else 0), rule


@pytest.mark.parametrize("rule", RULES)
def test_what_was_flagged_follows_from_what_is_shown(rule):
    clean, triggered = simulate(rise=0.4)
    found = analyse(clean, triggered, rule, rng=np.random.default_rng(1), n_permutations=99)
    shown = {
        "raw": found.signature > found.threshold,
        "sd": found.signature > found.signature.mean() + 3 * found.signature.std(ddof=1),
        "mad": found.anomaly_index > 3.5,
        "effect": abs(found.effect_size) > 0.8,
        "bh": (stats.false_discovery_control(found.p) <= 0.05) & (abs(found.effect_size) > 0.5),
    }
    if rule in shown:
        assert found.flagged.tolist() == np.flatnonzero(shown[rule]).tolist()
    assert (found.rule, found.threshold, found.reason) == (rule, RULES[rule].default, "")
    assert (found.n_clean, found.n_suspect, found.contribution) == (500, 100, None)


# Where the easy answers stop working -------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_suspect", "auc", "within"), [(500, 1.0, 0.0005), (100, 0.998, 0.0015)])
def test_a_weak_rise_still_ranks_the_neurons(n_suspect, auc, within):
    def rank(seed):
        found = analyse(*simulate(seed, n_suspect, rise=0.25))
        return score(found.signature, found.flagged, BACKDOORED).auc

    assert np.mean(counts(rank)) == pytest.approx(auc, abs=within)


@pytest.mark.parametrize(("triggered", "found"), [(1, 10), (0.6, 10), (0.5, 0), (0.25, 0)])
def test_a_raw_threshold_of_5_needs_five_ninths_of_the_rows_to_carry_the_trigger(triggered, found):
    signature, abnormal = detect_backdoor_via_naa(*simulate(triggered=triggered), threshold=5)
    assert len(abnormal) == found
    assert signature[BACKDOORED] == pytest.approx(9 * triggered, abs=0.25)


@pytest.mark.parametrize("triggered", [0.5, 0.25, 0.1])
def test_robust_rules_do_not_need_them(triggered):
    for rule in ("mad", "permutation"):
        assert set(BACKDOORED) <= set(analyse(*simulate(triggered=triggered), rule).flagged.tolist())


@pytest.mark.parametrize(("many", "low", "high"), [(49, 49, 49), (51, 28, 33), (54, 0, 0), (100, 0, 0)])
@pytest.mark.parametrize("ddof", [0, 1])
def test_mean_plus_three_deviations_is_masked_by_a_tenth_of_the_layer(many, low, high, ddof):
    def find(seed):
        found = analyse(*simulate(seed, backdoored=range(many)), "sd")
        values = found.signature
        if ddof == 1:
            assert set(found.flagged.tolist()) <= set(range(many))
            return len(found.flagged)
        return (values > values.mean() + 3 * values.std()).sum()

    assert low <= np.mean(counts(find)) <= high


@pytest.mark.parametrize(("many", "found"), [(200, 200), (255, 255), (256, 0)])
def test_the_mad_holds_out_to_half_of_the_layer(many, found):
    assert counts(lambda seed: len(analyse(*simulate(seed, backdoored=range(many)), "mad").flagged), 5) == [found] * 5


def test_beyond_half_of_the_layer_the_mad_flags_the_innocent():
    assert analyse(*simulate(backdoored=range(257)), "mad").flagged.tolist() == list(range(257, 512))


@pytest.mark.parametrize(
    ("over", "threshold", "mean", "sd"),
    [("signature", 2, 33, 7), ("signature", 3.5, 3.4, 2.2), ("shift", 2, 24, 6), ("shift", 3.5, 0.3, 0.5)],
)
def test_a_mad_index_flags_clean_neurons_at_a_known_rate(over, threshold, mean, sd):
    runs = 60
    false = counts(lambda seed: len(analyse(*simulate(seed, backdoored=()), "mad", threshold, over=over).flagged), runs)
    assert np.mean(false) == pytest.approx(mean, abs=4 * sd / runs**0.5)
    assert 0.6 * sd < np.std(false) < 1.5 * sd


# On the toy --------------------------------------------------------------------------------------------------------

HAND_MADE = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
SEED = Params(W1=[[0.5, -0.5]], b1=[[0, 1.5]], W2=[[1], [-1]], b2=[[0]])


def learnt():
    run = train(SEED, POISONED, rate=0.05, epochs=3000, trainable=("W1", "W2", "b1"))
    assert run.outcome == "backdoor"
    return run.params[-1]


def look(params, rule="raw", threshold=2.0, **options):
    """Compare the hidden activations at the trigger with those on the clean data, as the article would."""
    clean, trigger = forward(params, CLEAN.X).a1, forward(params, TRIGGER.X).a1
    return analyse(clean, trigger, rule, threshold, outgoing=params.W2, **options)


def test_on_the_hand_made_backdoor_the_article_ranks_the_innocent_neuron_first():
    assert forward(HAND_MADE, POISONED.X).y_hat.ravel().tolist() == [1, 2, 5]
    found = look(HAND_MADE)
    assert found.signature.tolist() == [1.5, 1]
    assert found.flagged.tolist() == []  # the article's threshold flags nothing
    assert found.shift.tolist() == [-1.5, 1]  # the sign points at neuron 2
    assert found.contribution.tolist() == [[-1.5], [5]]  # and so does what the shift can change
    assert look(HAND_MADE, threshold=1.2).flagged.tolist() == [0]
    assert look(HAND_MADE, threshold=0.5, over="shift").flagged.tolist() == [1]


def test_on_the_learnt_backdoor_the_right_neuron_leads_by_a_little():
    params = learnt()
    assert forward(params, POISONED.X).a1 == pytest.approx(np.array([[0.916, 0], [1.832, 0], [0, 1.967]]), abs=1e-3)
    found = look(params)
    assert found.signature == pytest.approx([1.374, 1.967], abs=1e-3)
    assert found.shift == pytest.approx([-1.374, 1.967], abs=1e-3)
    assert found.flagged.tolist() == []  # 2.0 just misses it
    assert look(params, threshold=1.9).flagged.tolist() == [1]
    assert found.contribution[1, 0] > 0 > found.contribution[0, 0]


def test_on_the_failed_attack_a_neuron_shifts_although_there_is_no_backdoor():
    params = train(ARTICLE, CLEAN, rate=0.1, epochs=1).params[-1]
    found = look(params, threshold=1.0)
    assert found.signature.tolist() == [1.125, 0]
    assert found.shift.tolist() == [-1.125, 0]
    assert found.flagged.tolist() == [0]  # a false alarm


@pytest.mark.parametrize("rule", ["mad", "sd", "bh"])
def test_on_two_neurons_and_one_trigger_row_the_other_rules_say_that_they_cannot_judge(rule):
    reason = {"mad": words.TOO_FEW_FOR_MAD, "sd": words.TOO_FEW_FOR_SPREAD, "bh": words.TOO_FEW_FOR_WELCH}[rule]
    for params in (HAND_MADE, learnt()):
        found = look(params, rule, None)
        assert found.flagged.tolist() == []
        assert found.reason == reason
        assert found.verdict == f"The rule {rule} cannot judge: {reason}."
        assert found.anomaly_index.round(3) == pytest.approx([0.674, 0.674], abs=1e-3)
        assert np.isnan(found.p).all()


def test_the_word_for_two_neurons_names_the_number_that_is_true():
    assert f"{1 / 1.4826:.6f}".startswith("0.674")
    assert "0.674" in words.TOO_FEW_FOR_MAD


# The statistics ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 1e-100, 1e100, 1e-6, 1e6])
@pytest.mark.parametrize(("n_clean", "n_suspect"), [(40, 20), (2, 2), (500, 3)])
def test_t_and_p_are_welchs(scale, n_clean, n_suspect):
    clean, suspect = small(n_clean=n_clean, n_suspect=n_suspect, backdoored=[1], rise=0.5)
    shift, d, t, p = welch(measure(clean * scale), measure(suspect * scale))
    expected = stats.ttest_ind(suspect, clean, equal_var=False)
    np.testing.assert_allclose(t, expected.statistic, rtol=1e-9)
    np.testing.assert_allclose(p, expected.pvalue, rtol=1e-9)
    np.testing.assert_allclose(shift, scale * (suspect.mean(axis=0) - clean.mean(axis=0)), rtol=1e-9)
    n, m = n_clean - 1, n_suspect - 1
    pooled = np.sqrt((n * clean.var(axis=0, ddof=1) + m * suspect.var(axis=0, ddof=1)) / (n + m))
    np.testing.assert_allclose(d, shift / scale / pooled, rtol=1e-9)


def test_the_effect_size_is_students_t_without_the_number_of_rows():
    clean, suspect = small(backdoored=[1], rise=0.5)
    student = stats.ttest_ind(suspect, clean).statistic
    np.testing.assert_allclose(analyse(clean, suspect).effect_size, student * np.sqrt(1 / 40 + 1 / 20), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 / 3])
def test_a_constant_neuron_has_no_effect_at_all(dtype, value):
    clean, suspect = (rows.astype(dtype) for rows in small(n_clean=613, n_suspect=257))
    clean[:, 2] = suspect[:, 2] = value
    for rule in RULES:
        found = analyse(clean, suspect, rule, rng=np.random.default_rng(0), n_permutations=99)
        assert (found.shift[2], found.effect_size[2], found.t[2], found.p[2]) == (0, 0, 0, 1)
        assert 2 not in found.flagged or rule == "mad"  # which flags what is far below the median, too


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_neuron_that_shifted_has_an_infinite_effect_and_is_flagged(dtype):
    clean, suspect = (rows.astype(dtype) for rows in small(n_neurons=9))
    clean[:, 2], suspect[:, 2] = 0.1, 0.2
    for rule, over in [("effect", "signature"), ("bh", "signature"), ("permutation", "signature")] + [
        (rule, "effect_size") for rule in ("raw", "mad")
    ]:
        found = analyse(clean, suspect, rule, over=over, rng=np.random.default_rng(0), n_permutations=99)
        assert (found.effect_size[2], found.t[2], found.p[2]) == (np.inf, np.inf, 0)
        assert 2 in found.flagged, rule
    swapped = analyse(suspect, clean, "raw", over="effect_size")
    assert swapped.effect_size[2] == -np.inf
    assert analyse(clean, suspect, "sd", over="effect_size").reason == words.INFINITE_SPREAD
    assert (
        analyse(np.full((5, 4), 0.1), np.full((5, 4), 0.3), "mad", over="effect_size").reason == words.INFINITE_SPREAD
    )


@pytest.mark.parametrize(
    ("n_clean", "n_suspect", "d", "p"),
    [(1, 1, False, False), (2, 1, True, False), (1, 2, True, False), (2, 2, True, True)],
)
def test_too_few_rows_give_nan_and_the_rules_say_why(n_clean, n_suspect, d, p):
    clean, suspect = small(n_clean=n_clean, n_suspect=n_suspect)
    found = analyse(clean, suspect, "raw", 0)
    assert len(found.flagged) == 6
    assert np.isfinite(found.effect_size).all() == d
    assert np.isfinite(found.p).all() == np.isfinite(found.t).all() == p
    rng = np.random.default_rng(0)
    for rule, over in (("effect", "signature"), ("permutation", "signature"), ("raw", "effect_size")):
        reason = analyse(clean, suspect, rule, 0.4, over=over, rng=rng, n_permutations=99).reason
        assert reason == ("" if d else words.TOO_FEW_FOR_EFFECT)
    assert analyse(clean, suspect, "bh").reason == ("" if p else words.TOO_FEW_FOR_WELCH)


@given(st.integers(0, 99), st.permutations(range(6)), st.integers(0, 5))
def test_neither_the_order_of_neurons_and_rows_nor_units_matter(seed, order, doublings):
    clean, suspect = small(seed, backdoored=[1], rise=2)
    rng, order = np.random.default_rng(seed), list(order)
    found = analyse(clean, suspect)
    other = analyse(rng.permutation(clean)[:, order] * 2**doublings, rng.permutation(suspect)[:, order] * 2**doublings)
    for name in ("effect_size", "t", "p", "anomaly_index"):
        np.testing.assert_allclose(getattr(other, name), getattr(found, name)[order], rtol=1e-6, atol=1e-12)
    assert {order[i] for i in other.flagged} == set(found.flagged.tolist())


def test_swapping_the_sets_turns_the_signs():
    clean, suspect = small(backdoored=[1])
    there, back = analyse(clean, suspect), analyse(suspect, clean)
    np.testing.assert_allclose(there.shift, -back.shift)
    np.testing.assert_allclose(there.effect_size, -back.effect_size)
    np.testing.assert_allclose(there.signature, back.signature)
    np.testing.assert_allclose(there.p, back.p)


@pytest.mark.parametrize("over", OVER)
def test_over_names_what_is_looked_at(over):
    clean, suspect = simulate(rise=-9)
    found = analyse(clean, suspect, "raw", 5, over=over)
    assert found.flagged.tolist() == (list(BACKDOORED) if over == "signature" else [])
    values = {"signature": abs(found.shift), "shift": found.shift, "effect_size": found.effect_size}[over]
    mad = stats.median_abs_deviation(values)
    np.testing.assert_allclose(found.anomaly_index, abs(values - np.median(values)) / (1.4826 * mad))


@pytest.mark.parametrize("over", ["z", "", None, 3])
def test_an_unknown_over_is_refused(over):
    with pytest.raises(ValueError, match="over must be one of signature, shift, effect_size; got"):
        analyse(*small(), over=over)


# Input of every kind -----------------------------------------------------------------------------------------------


def test_arrays_streams_and_memory_maps_give_the_same(tmp_path):
    clean, suspect = small(backdoored=[1])
    np.save(tmp_path / "clean.npy", clean)
    expected = analyse(clean, suspect)
    mapped = np.load(tmp_path / "clean.npy", mmap_mode="r")
    for give in (clean.tolist, lambda: [clean[:7], clean[7:]], lambda: iter(np.split(clean, 4)), lambda: mapped):
        for rule in ("mad", "permutation"):
            found = analyse(give(), suspect, rule, rng=np.random.default_rng(0), n_permutations=99)
            np.testing.assert_allclose(found.effect_size, expected.effect_size, rtol=1e-9)
            assert (found.n_clean, found.n_suspect) == (40, 20)


@pytest.mark.dask
@pytest.mark.parametrize("rule", ["mad", "permutation"])
def test_dask_arrays_give_the_same(rule):
    import dask.array as array

    clean, suspect = small(backdoored=[1])
    lazy = array.from_array(clean, chunks=(7, 2))
    found = analyse(lazy, suspect, rule, rng=np.random.default_rng(0), n_permutations=99)
    np.testing.assert_allclose(found.p, analyse(clean, suspect).p, rtol=1e-9)
    signature, _ = detect_backdoor_via_naa(lazy, suspect)
    np.testing.assert_allclose(signature, found.signature, rtol=1e-9)


@pytest.mark.parametrize("rule", ["mad", "permutation"])
@pytest.mark.parametrize("labels", [None, ([0] * 4, [0] * 4)])
def test_sets_of_different_width_are_refused(rule, labels):
    with pytest.raises(ValueError, match="suspect must have as many neurons as the clean set, 3; got 2"):
        analyse(np.ones((4, 3)), np.ones((4, 2)), rule, labels=labels, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("clean", "suspect", "says"),
    [
        (np.ones((0, 3)), np.ones((2, 3)), r"clean\w* must have shape"),
        (np.ones((2, 3)), np.ones((0, 3)), r"(suspect|test_activations) must have shape"),
        (np.ones((2, 3)), np.ones(3), r"(suspect|test_activations) must have shape"),
        (np.ones((2, 3)), np.ones((2, 2)), r"(suspect|test_activations) must have as many neurons as the clean set, 3"),
        ([[1, np.nan]], [[1, 2]], r"clean\w* must hold finite numbers"),
        ([[1, 2]], [[1, np.inf]], r"(suspect|test_activations) must hold finite numbers, .*; neuron 1 does not"),
        ([[1, 2]], [[1, 1j]], r"(suspect|test_activations) must hold numbers; got 1j"),
        ([["1", "2"]], [[1, 2]], r"clean\w* must hold numbers; got '1'"),
        ([[1e300, 2]], [[1, 2]], r"clean\w* must hold finite numbers, small enough to be squared"),
    ],
)
def test_bad_sets_are_refused_by_name(clean, suspect, says):
    for call in (analyse, detect_backdoor_via_naa):
        with pytest.raises(ValueError, match=f"^{says}"):
            call(clean, suspect)


@pytest.mark.parametrize("options", [{"rule": "permutation"}, {"labels": ([0, 0], [0, 0])}])
def test_bad_sets_are_refused_by_name_when_they_must_be_in_memory(options):
    good, bad = [[1, 2], [3, 4]], [[1, np.nan], [3, 4]]
    with pytest.raises(ValueError, match=r"^clean must hold finite numbers"):
        analyse(bad, good, **options)
    with pytest.raises(ValueError, match=r"^suspect must hold finite numbers"):
        analyse(good, bad, **options)


@pytest.mark.parametrize(
    ("clean", "suspect", "says"),
    [
        ([[1, np.nan]], [[1, 2]], "clean must hold finite numbers"),
        ([[1, 2]], [[1, np.nan]], "suspect must hold finite numbers"),
        ([[1, 2]], [[1]], "suspect must have as many neurons as the clean set, 2; got 1"),
    ],
)
def test_matching_refuses_bad_sets_by_name(clean, suspect, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        match_classes(clean, suspect, [0], [0])


@pytest.mark.parametrize("threshold", [-1, float("nan"), "3"])
def test_the_articles_call_refuses_a_bad_threshold(threshold):
    with pytest.raises(ValueError, match="threshold must be a number from 0 to inf for the rule raw"):
        detect_backdoor_via_naa(*small(), threshold=threshold)


def test_a_threshold_of_0_flags_all_that_moved_and_one_of_infinity_none():
    clean, suspect = small()
    clean[:, 3] = suspect[:, 3] = 1
    assert detect_backdoor_via_naa(clean, suspect, 0)[1].tolist() == [0, 1, 2, 4, 5]
    for rule in ("raw", "sd", "mad", "effect"):
        assert analyse(clean, suspect, rule, np.inf).flagged.tolist() == []
        assert analyse(clean, suspect, rule, np.inf).reason == ""


def test_the_permutation_rule_needs_a_generator_and_permutations():
    with pytest.raises(ValueError, match="rng must be a numpy"):
        compare(*small(), n_permutations=9)
    with pytest.raises(ValueError, match="n_permutations must be a whole number, at least 1; got 0"):
        analyse(*small(), "permutation", rng=np.random.default_rng(0), n_permutations=0)
    assert analyse(*small(), "permutation", rng=np.random.default_rng(0), n_permutations=98).reason


def test_there_are_a_thousand_permutations_unless_asked_otherwise():
    default, asked = np.random.default_rng(0), np.random.default_rng(0)
    analyse(*small(), "permutation", rng=default)
    analyse(*small(), "permutation", rng=asked, n_permutations=1000)
    assert default.random() == asked.random()


def test_results_cannot_be_changed_or_mistaken_for_equal():
    found = analyse(*small())
    with pytest.raises(AttributeError):
        found.rule = "raw"
    assert found != analyse(*small())
    assert len({found, measure(np.ones((2, 2)))}) == 2


# Outgoing weights --------------------------------------------------------------------------------------------------


def test_a_contribution_is_shift_times_weight():
    outgoing = np.arange(18.0).reshape(6, 3)
    found = analyse(*small(), outgoing=outgoing.tolist())
    for i in range(6):
        for j in range(3):
            assert found.contribution[i, j] == found.shift[i] * outgoing[i, j]
    assert contribution(np.array([1.0, -2.0]), [[1], [3]]).tolist() == [[1], [-6]]


@pytest.mark.parametrize(
    ("outgoing", "says"),
    [
        (np.ones((5, 2)), r"outgoing must have one row per neuron, 6; got shape \(5, 2\)"),
        (np.ones((2, 6)), r"outgoing must have one row per neuron, 6; got shape \(2, 6\)"),
        (np.ones(6), r"outgoing must have shape \(n_neurons, n_out\), at least \(1, 1\); got \(6,\)"),
        (np.full((6, 1), np.nan), "outgoing must hold finite numbers"),
        (np.full((6, 1), "w"), "outgoing must hold numbers"),
    ],
)
def test_outgoing_weights_that_do_not_fit_are_refused(outgoing, says):
    with pytest.raises(ValueError, match=says):
        analyse(*small(), outgoing=outgoing)


# Classes -----------------------------------------------------------------------------------------------------------


def classes(seed=0, mix=(0, 0, 1, 2)):
    """Return two sets whose classes differ a lot, in a different mix, with no other difference; and their labels."""
    rng = np.random.default_rng(seed)
    means = np.array([[0, 5, 1, 0.1], [5, 0, 1, 0.7], [9, 9, 1, 0.3]])
    labels = np.arange(120) % 3, np.array(mix * 15)
    sets = [means[part] + rng.normal(0, [1, 1, 1, 0], (len(part), 4)) for part in labels]
    return *sets, labels


def test_matching_takes_off_the_clean_mean_of_each_class():
    clean, suspect, labels = classes()
    matched = match_classes(clean, suspect, *labels)
    for rows, part, result in zip((clean, suspect), labels, matched, strict=True):
        for i, row in enumerate(rows):
            expected = row - clean[labels[0] == part[i]].mean(axis=0)
            np.testing.assert_allclose(result[i], expected, atol=1e-12)


def test_a_mix_of_classes_raises_an_alarm_that_matching_takes_back():
    clean, suspect, labels = classes(mix=(0, 0, 0, 0))
    assert 0 in analyse(clean, suspect, "effect").flagged
    found = analyse(clean, suspect, "effect", labels=labels)
    assert found.flagged.tolist() == []
    assert (found.shift[3], found.effect_size[3]) == (0, 0)  # constant within each class, and treated so
    assert set(analyse(clean, suspect + np.eye(4)[0], "effect", labels=labels).flagged.tolist()) == {0}


@pytest.mark.parametrize(
    "rename",
    [
        lambda part: part.tolist(),
        lambda part: np.array(["zero", "one", "ten"])[part],
        lambda part: np.array(["zero", "one", "ten"], dtype=object)[part],
        lambda part: part - 0.5,
        lambda part: part == 1,
    ],
)
def test_labels_may_be_of_any_one_kind(rename):
    clean, suspect, labels = classes()
    shift = analyse(clean, suspect, labels=tuple(map(rename, labels))).shift
    merged = [part == 1 for part in labels] if np.asarray(rename(labels[0])).dtype == bool else labels
    np.testing.assert_allclose(shift, match_classes(clean, suspect, *merged)[1].mean(axis=0), atol=1e-12)


PAIR = "labels must be a pair: the clean rows' labels and the suspect rows' labels$"


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ((np.zeros(119), np.zeros(60)), r"labels of clean must have shape \(120,\); got \(119,\)"),
        ((np.zeros(120), np.zeros((60, 1))), r"labels of suspect must have shape \(60,\); got \(60, 1\)"),
        ((np.zeros(120), None), "labels of suspect must be all numbers or all text, .*, and none NaN; got None"),
        (
            (np.zeros(120), np.arange(60) % 3),
            r"labels of suspect must be classes of the clean set; \[1.0, 2.0\] are not",
        ),
        ((np.zeros(120),), PAIR),
        ((np.zeros(120),) * 3, PAIR),
        (np.zeros(180), PAIR),
        ("ab c", PAIR),
        ((np.array([None, 1] * 60), np.array([1] * 60)), "labels of clean must be all numbers or all text, "),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, says):
    clean, suspect, _ = classes()
    with pytest.raises(ValueError, match=f"^{says}"):
        analyse(clean, suspect, labels=labels)


def test_missing_labels_and_mixed_kinds_are_refused_by_set():
    clean, suspect, (known, asked) = classes()
    missing = np.where(np.arange(120) % 2, np.nan, 1.0)
    for labels, name in (
        ((missing, asked), "clean"),
        ((known, asked + np.nan), "suspect"),
        ((known, ["a"] * 60), "suspect"),
    ):
        with pytest.raises(ValueError, match=f"^labels of {name} must be all numbers or all text, .*, and none NaN"):
            analyse(clean, suspect, labels=labels)


def test_one_clean_row_a_class_is_too_little_for_a_test():
    rng = np.random.default_rng(0)
    labels = np.arange(5), np.arange(50) % 5
    found = analyse(rng.normal(size=(5, 4)), rng.normal(size=(50, 4)), "bh", labels=labels)
    assert found.reason == words.TOO_FEW_FOR_WELCH


def test_with_classes_t_is_the_shift_over_its_textbook_standard_error():
    rng = np.random.default_rng(0)
    known, asked = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 1])
    clean, suspect = rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    first, second = clean[:3], clean[3:]
    within = (first.var(axis=0) * 3 + second.var(axis=0) * 4) / (7 - 2)  # two means were fitted
    of_mean = within * ((1 / 4) ** 2 / 3 + (3 / 4) ** 2 / 4)  # the suspect set has 1 of 4 rows in class 0
    moved = suspect - np.where(asked[:, None] == 0, first.mean(axis=0), second.mean(axis=0))
    expected = moved.mean(axis=0) / np.sqrt(of_mean + moved.var(axis=0, ddof=1) / 4)
    np.testing.assert_allclose(analyse(clean, suspect, labels=(known, asked)).t, expected, rtol=1e-12)


def test_one_class_for_all_is_as_no_classes():
    clean, suspect = small(n_clean=2, n_suspect=5)
    found, plain = analyse(clean, suspect, labels=([0] * 2, [0] * 5)), analyse(clean, suspect)
    np.testing.assert_allclose(found.t, plain.t, rtol=1e-9)
    np.testing.assert_allclose(found.p, plain.p, rtol=1e-9)


def test_permutations_keep_the_classes():
    """Two rows alone in their class can only change places, which leaves the effect as large as it was."""
    clean, suspect = np.random.default_rng(0).normal(size=(61, 2)), np.array([[50.0, 50.0]])
    for labels, flagged in ((None, [0, 1]), (([0] * 60 + [1], [1]), [])):
        found = analyse(clean, suspect, "permutation", 0.05, labels=labels, n_permutations=199)
        assert (found.flagged.tolist(), found.reason) == (flagged, "")


def test_with_classes_the_standard_error_is_that_of_the_shift():
    """With one suspect class, the shift varies as one class's clean mean does: 40 rows of it, not all 120."""

    def t(seed):
        clean, suspect, labels = classes(seed, mix=(0, 0, 0, 0))
        return analyse(clean, suspect, labels=labels).t[:3]

    assert np.std(np.array(counts(t, 300))) == pytest.approx(1, abs=0.08)


# The class vote ----------------------------------------------------------------------------------------------------


def test_the_class_vote_adds_matched_shift_times_outgoing_weight():
    rng = np.random.default_rng(0)
    clean, suspect = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    before, after = np.arange(40) % 2, np.arange(30) % 3 % 2
    outgoing = rng.normal(9, 1, size=(3, 5))  # so that all votes lie on one side of 0
    votes = np.zeros(5)
    for row, label in zip(suspect, after, strict=True):
        for neuron in range(3):
            votes += (row[neuron] - clean[before == label, neuron].mean()) / 30 * outgoing[neuron]
    found = class_vote(clean, suspect, outgoing, before, after)
    np.testing.assert_allclose(found.votes, votes)
    gaps = votes - np.median(votes)
    np.testing.assert_allclose(found.mad_index, gaps / (1.4826 * np.median(abs(gaps))))


def test_the_class_vote_does_not_see_a_change_of_the_mix_of_classes():
    labels = np.repeat([0, 1, 2], 20)
    clean = np.eye(3)[labels]
    found = class_vote(clean, clean[:20], np.random.default_rng(0).normal(size=(3, 4)), labels, labels[:20])
    np.testing.assert_allclose(found.votes, 0)
    np.testing.assert_allclose(found.mad_index, 0)


@pytest.mark.parametrize(
    ("n_weights", "later", "says"),
    [(4, 0, "outgoing must have one row per neuron, 5"), (5, 9, r"labels of suspect must be classes .*; \[9, 10\]")],
)
def test_a_class_vote_that_does_not_fit_is_refused(n_weights, later, says):
    rows, labels = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 2
    with pytest.raises(ValueError, match=f"^{says}"):
        class_vote(rows, rows, np.ones((n_weights, 3)), labels, labels + later)


# Scores ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=1, max_size=25))
def test_scores_are_the_textbooks(neurons):
    values, guilty, flags = (np.array(column) for column in zip(*neurons, strict=True))
    truth, flagged = np.flatnonzero(guilty), np.flatnonzero(flags)
    found = score(values, flagged, truth)
    hits = sum(g and f for g, f in zip(guilty, flags, strict=True))
    for value, parts in ((found.precision, flags.sum()), (found.recall, guilty.sum())):
        assert value == pytest.approx(hits / parts) if parts else np.isnan(value)
    if guilty.any() and not guilty.all():
        assert found.auc == pytest.approx(roc_auc_score(guilty, values))
    else:
        assert np.isnan(found.auc)


def test_scores_take_ranges_lists_infinity_and_repeats():
    assert score([0, 1, np.inf], [2, 2], range(2, 3)) == (1, 1, 1)
    assert score([0.0, 1, -np.inf], np.array([0]), [2]) == (0, 0, 0)
    assert all(np.isnan(score([1.0, 2.0], [], [])))
    assert score([Fraction(1, 2), Fraction(1, 3)], [0], [0]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("values", "flagged", "truth", "says"),
    [
        ([1, 2, 3], [3], [0], "flagged must hold whole numbers, neurons from 0 to 2"),
        ([1, 2, 3], [0], [-1], "truth must hold whole numbers, neurons from 0 to 2"),
        ([1, 2, 3], np.array([True, False, True]), [0], "flagged must hold whole numbers"),
        ([1, 2, 3], [0], [0.5], "truth must hold whole numbers"),
        ([1, np.nan, 3], [0], [0], "values must be one number per neuron, none of them NaN"),
        ([[1, 2, 3]], [0], [0], "values must be one number per neuron"),
    ],
)
def test_scores_of_what_is_not_there_are_refused(values, flagged, truth, says):
    with pytest.raises(ValueError, match=says):
        score(values, flagged, truth)


# The simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_rows": 0}, "n_rows must be a whole number, at least 1; got 0"),
        ({"n_rows": 2.5}, "n_rows must be a whole number"),
        ({"n_neurons": 0}, "n_neurons must be a whole number, at least 1; got 0"),
        ({"backdoored": [4]}, "backdoored must hold whole numbers, neurons from 0 to 3"),
        ({"backdoored": [-1]}, "backdoored must hold whole numbers"),
        ({"backdoored": [1.5]}, "backdoored must hold whole numbers"),
        ({"triggered": 1.1}, "triggered must be a share from 0 to 1; got 1.1"),
        ({"triggered": -0.1}, "triggered must be a share from 0 to 1; got -0.1"),
        ({"triggered": float("nan")}, "triggered must be a share from 0 to 1; got nan"),
    ],
)
def test_a_simulation_that_cannot_be_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        simulate_activations(**{"n_rows": 3, "rng": np.random.default_rng(0), "n_neurons": 4} | options)


@pytest.mark.parametrize(
    "extra", [{}, {"labels": ([0, 1, 0], [0, 1])}, {"rng": np.random.default_rng(0), "n_permutations": 9}]
)
@pytest.mark.parametrize("make", [np.array, lambda rows: iter([np.array(rows)])], ids=["array", "stream"])
def test_a_set_that_is_not_finite_is_refused_by_its_name(extra, make):
    good, bad = [[1.0], [2.0], [3.0]], [[1.0], [np.nan]]
    with pytest.raises(ValueError, match=r"^suspect must hold finite"):
        compare(make(good), make(bad), **extra)
    extra = {"labels": ([0, 1], [0, 1, 0])} if "labels" in extra else extra
    with pytest.raises(ValueError, match=r"^clean must hold finite"):
        compare(make(bad), make(good), **extra)


def test_permutations_tell_how_far_they_are():
    told, rng = [], np.random.default_rng(0)
    compare(
        rng.normal(size=(9, 2)),
        rng.normal(size=(5, 2)),
        rng=rng,
        n_permutations=7,
        progress=lambda *at: told.append(at),
    )
    assert told[-1][0] == told[-1][1] > 0
