"""What a derivation shows: the symbols, the titles of its lines, and why a gradient is zero."""

# name in code: (LaTeX, plain text)
SYMBOLS = {
    "X": ("x", "x"),
    "Y": ("y", "y"),
    "W1": ("W_1", "W1"),
    "b1": ("b_1", "b1"),
    "W2": ("W_2", "W2"),
    "b2": ("b_2", "b2"),
    "z1": ("z_1", "z1"),
    "a1": ("a_1", "a1"),
    "y_hat": (r"\hat{y}", "y_hat"),
    "L": ("L", "L"),
    "rate": (r"\eta", "rate"),
    "dy_hat": (r"\frac{\partial L}{\partial \hat{y}}", "dL/dy_hat"),
    "da1": (r"\frac{\partial L}{\partial a_1}", "dL/da1"),
    "phi_prime": (r"\frac{\partial a_1}{\partial z_1}", "da1/dz1"),
    "dz1": (r"\frac{\partial L}{\partial z_1}", "dL/dz1"),
    "dW1": (r"\frac{\partial L}{\partial W_1}", "dL/dW1"),
    "db1": (r"\frac{\partial L}{\partial b_1}", "dL/db1"),
    "dW2": (r"\frac{\partial L}{\partial W_2}", "dL/dW2"),
    "db2": (r"\frac{\partial L}{\partial b_2}", "dL/db2"),
}
FUNCTIONS = {  # activation: (LaTeX, plain text)
    "relu": (r"\operatorname{relu}", "relu"),
    "leaky_relu": (r"\operatorname{lrelu}", "leaky_relu"),
    "tanh": (r"\tanh", "tanh"),
    "sigmoid": (r"\sigma", "sigmoid"),
    "identity": (r"\operatorname{id}", "id"),
}
# How a formula is written in each dialect.
LATEX = {
    "matrix": r"\begin{{bmatrix}} {} \end{{bmatrix}}",
    "next_row": r" \\ ",
    "next_entry": " & ",
    "fraction": r"{sign}\frac{{{p}}}{{{q}}}",
    "power_of_ten": r"{} \times 10^{{{}}}",
    "brackets": r"\left({}\right)",
    "call": r"{}\left({}\right)",
    "same": "{}",
    "transpose": r"{}^\top",
    "half": r"\frac{{1}}{{2}} {}",
    "sum_over_samples": r"\sum_{{\text{{samples}}}} {}",
    "square": r"\left({}\right)^2",
    "sum_of_squares": r"\sum_{{\text{{samples}}}} {}",
    "squares_in_numbers": r"\left[{}\right]",
    "plus": " + ",
    "sum": " + ",
    "minus": " - ",
    "matmul": r" \, ",
    "scale": r" \, ",
    "multiply": r" \odot ",
    "product_in_numbers": r" \cdot ",
    "nearly": r"\approx",
    "new": r"{}^{{\text{{new}}}}",
}
TEXT = {
    "matrix": "[{}]",
    "next_row": "; ",
    "next_entry": ", ",
    "fraction": "{sign}{p}/{q}",
    "power_of_ten": "{}e{}",
    "brackets": "({})",
    "call": "{}({})",
    "same": "{}",
    "transpose": "{}ᵀ",
    "half": "1/2 {}",
    "sum_over_samples": "sum over samples of {}",
    "square": "({})²",
    "sum_of_squares": "sum of {}",
    "squares_in_numbers": "[{}]",
    "plus": " + ",
    "sum": " + ",
    "minus": " - ",
    "matmul": " ",
    "scale": " ",
    "multiply": " ⊙ ",
    "product_in_numbers": " · ",
    "nearly": "≈",
    "new": "new {}",
}
STEP_TITLES = {
    "z1": "into the hidden layer",
    "a1": "through {activation}",
    "y_hat": "the answer",
    "L": "The loss: half the sum of squared errors",
    "dy_hat": "how the loss changes with the answer",
    "dW2": "gradient of the outgoing weights",
    "db2": "gradient of the output bias",
    "da1": "back through the outgoing weights",
    "phi_prime": "is the gate open? the slope of {activation}",
    "dz1": "back through the gate",
    "dW1": "gradient of the incoming weights",
    "db1": "gradient of the hidden bias",
    "sum": "Add the samples: {name}",
    "update": "Update {name}",
}
SAMPLE = "Sample {number} (x = {x}): {what}"
ZERO_ALL = "{name} is 0 because {factors}."
ZERO_SOME = "{where} of {name} is 0 because {factors}."
ZERO_FACTOR = "{factor} = 0"
SAID = "{title}: {text}."
AND = " and "
NEURON = "Neuron {number}'s part"
ENTRY = "Entry ({row}, {column})"
UNMOVED = "{name} does not move: its gradient is 0."
