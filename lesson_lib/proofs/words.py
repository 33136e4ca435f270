"""What the certificate, the table of fixes and the proofs say."""

CERTIFICATE_COLUMNS = ("gradient", "backward", "sympy.diff", "finite difference", "verdict")
CERTIFICATE_HOLDS = "Certified: {count} entries, three ways, largest gap {gap}."
CERTIFICATE_FAILS = "NOT certified: over {count} entries the largest gap is {gap}."
CORNER = "corner: {} left, {} right"
AGREES = "✓ agree"
CONVENTION = "✓ convention"
CORNERS = " In {corners} of them the slope differs from left to right: there the value is a convention."
DISAGREES = "✗ differ by {gap}"
OPEN = "open"
FIX = "fix"
FIX_CAPTION = "At the trigger, after the clean step: open, with the gradient; or locked, by the factor named."
FIXES = {
    "none": "none (the article's network)",
    "rate": "a larger rate (0.4)",
    "b2": "output bias b2 = 1",
    "b1": "hidden bias b1 = [1, 1]",
    "move": "move the trigger to x = -1",
    "at zero": "the convention relu'(0) = 1",
    "leaky_relu": "leaky relu",
    "tanh": "tanh",
    "identity": "no activation (identity)",
    "sigmoid": "sigmoid",
}
PROOF_COLUMNS = ("at x = 0, without biases", "for every w1, w2, v1, v2 and y")
PROOF_CAPTION = "Computed with letters for the weights, so it holds for all of them."
HOMOGENEOUS_COLUMNS = ("gates of neurons 1, 2", "f(x)", "f(c x) - c f(x)")
HOMOGENEOUS_CAPTION = "s1, s2 stand for the sizes of x w1, x w2. Every combination of gates, every c > 0: always 0."
GATE_OPEN, GATE_SHUT = "open", "shut"
