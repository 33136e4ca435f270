"""Random nets and data sets for property tests, and the textbook definitions that tests compare with."""

import math
from dataclasses import replace
from fractions import Fraction

import sympy
from hypothesis import strategies as st

from lesson_lib.network import PARAMETERS, Params
from lesson_lib.training import CLEAN, Dataset, train

KINKED = ("relu", "leaky_relu")

# phi(z) and phi'(z) away from the corner, in plain Python.
TEXTBOOK = {
    "relu": (lambda z: max(z, 0), lambda z: float(z > 0)),
    "leaky_relu": (lambda z: max(z, z / 100), lambda z: 1 if z > 0 else 0.01),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    "identity": (lambda z: z, lambda z: 1),
}
# The same for sympy.diff. At 0 a slope of 0 for relu, and the slope from below for leaky_relu.
FORMULA = {
    "relu": lambda z: sympy.Piecewise((z, z > 0), (0, True)),
    "leaky_relu": lambda z: sympy.Piecewise((z, z > 0), (z / 100, True)),
    "tanh": sympy.tanh,
    "sigmoid": lambda z: 1 / (1 + sympy.exp(-z)),
    "identity": lambda z: z,
}


def with_phi(params, activation="relu", relu_prime_at_zero=0):
    """Return the same weights and biases with another activation and another slope at its corner."""
    return replace(params, activation=activation, relu_prime_at_zero=relu_prime_at_zero)


def alone(experiment, epochs=6):
    """Run one experiment with `train`, a stage at a time, and return its last stage."""
    data = Dataset([*CLEAN.X, [experiment.position]], [*CLEAN.Y, [experiment.target]], [False, False, True])
    trigger = Dataset(data.X[2:], data.Y[2:], [True])
    start = experiment.start
    if experiment.schedule == "clean, then trigger":
        start = train(start, CLEAN, experiment.rate, 1, experiment.trainable, evaluate_on=data).params[-1]
    shown = data if experiment.schedule == "joint" else trigger
    return train(start, shown, experiment.rate, epochs, experiment.trainable, evaluate_on=data)


rationals = st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 2, 3, 4]))
quarters = st.builds(Fraction, st.integers(-12, 12), st.just(4))  # floats compute with them without rounding
sizes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))


@st.composite
def exact_problems(draw, sizes=sizes, biases=True, numbers=rationals):
    """Draw a net of Fractions and a data set that fits it."""

    def matrices(rows, columns):
        return st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=rows, max_size=rows)

    def bias(rows, columns):
        return matrices(rows, columns) if biases else st.just([[Fraction(0)] * columns] * rows)

    n_in, n_hidden, n_out, n_samples = draw(sizes)
    params = Params(
        W1=draw(matrices(n_in, n_hidden)),
        b1=draw(bias(1, n_hidden)),
        W2=draw(matrices(n_hidden, n_out)),
        b2=draw(bias(1, n_out)),
    )
    return params, Dataset(X=draw(matrices(n_samples, n_in)), Y=draw(matrices(n_samples, n_out)))


@st.composite
def float_problems(draw, **options):
    """Draw a float net and a float data set that fits it."""
    params, data = draw(exact_problems(numbers=quarters, **options))
    weights = (getattr(params, name).astype(float) for name in PARAMETERS)
    return Params(*weights), Dataset(data.X.astype(float), data.Y.astype(float))
