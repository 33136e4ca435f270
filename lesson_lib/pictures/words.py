"""What is written in the pictures: titles, axes, legends, and the tables beside them."""

DIAGRAM_TITLE = "A network with one input, {n_hidden} hidden neurons and one output"
NEURON_LABEL = "neuron {number}"
INPUT, ANSWER = "input x", "answer"
NAMES = {  # how the network's picture writes a quantity
    "X": "x",
    "Y": "target",
    "W1": "W1",
    "b1": "b1",
    "W2": "W2",
    "b2": "b2",
    "z1": "z1",
    "a1": "a1",
    "y_hat": "ŷ",
    "L": "loss",
    "dy_hat": "error",
    "da1": "∂L/∂a1",
    "phi_prime": "slope",
    "dz1": "∂L/∂z1",
    "dW1": "∂L/∂W1",
    "db1": "∂L/∂b1",
    "dW2": "∂L/∂W2",
    "db2": "∂L/∂b2",
}
LOCKED, DONE, TINY, NEW = "{name}: {factors} = 0", "{name} ≈ 0: done", "≈ 0", "new {name}"
SUM, UNTRAINED = "Σ{name}", "{gradient}, not trained"
COLUMN, COUNTED = "{n} neurons: filled where they speak", "{name} is 0 for {shut} of {n}"
FUNCTION_TITLE = "the function f(x)"
RATE_AXIS, TARGET_AXIS = "rate", "trigger target"
CLEAN_LABEL, TRIGGER_LABEL = "clean targets", "trigger"
MAP_TITLE = "outcome by rate and target"
OUTCOME_LETTERS = {"diverged": "D", "backdoor": "B", "trigger only": "T", "frozen": "F", "not learnt": "n"}
SUCCESS_TITLE, SUCCESS_AXIS = "random starts that become a backdoor", "hidden width"
WITH_BIASES, WITHOUT_BIASES = "with biases", "without biases"
SUCCESS_COLUMNS = ("width", "with biases", "95 % interval", "without biases", "95 % interval")
INTERVAL = "{low:.1%} to {high:.1%}"
SUCCESS_CAPTION = "{starts} random starts of each width."
SHARE_COLUMNS = ("letter", "outcome", "share of the networks")
SHARE_CAPTION = "10,000 networks after {epoch} epochs."
ANSWERS = ("f(1)", "f(2)", "f(trigger)")
TRAINED = "{names} trained, all samples"
ENDINGS_COLUMNS = ("biases", "rates", *ANSWERS, "outcome")
RANGE = "{first:.3g} to {last:.3g}"
ENDINGS_CAPTION = "{n} runs, {epochs} epochs each. Rates that end alike are put together."
INPUT_AXIS, NET_COLUMN = "x", "network"
FUNCTION_CAPTION = "The answers of each network, those at its samples among them."
# The article's figure
SIGNATURE_TITLE = "activation difference signature"
SIGNATURE_X_AXIS, SIGNATURE_AXIS = "neuron", "|difference of mean activations|"
ABNORMAL, THRESHOLD_LINE = "abnormal neurons (difference > {threshold})", "threshold"
SIGNATURE_COLUMNS, FLAGGED = ("neuron", "|difference|", "flagged"), "yes"
SIGNATURE_CAPTION = "{n} neurons, of which {flagged} are above {threshold}; the tallest bars."
STRIP_COLUMN, STRIP_CAPTION = "image", "What is written over each image, from left to right."
