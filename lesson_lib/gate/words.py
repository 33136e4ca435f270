"""What the gate prints, and its help."""

GATE = {
    "about": "Compare the activations of a layer on suspect inputs with those on clean ones, and flag the neurons that "
    "shifted. Exit status: 0 nothing flagged, 1 flagged, 2 could not judge, for whatever reason.",
    "files": "A file is .npy (n_rows, n_neurons) or .npz with an array 'activations' (or only one array) and, if you "
    "like, 'labels' (n_rows,) and 'outgoing' (n_neurons, n_out). Activations in C order, as NumPy makes them, are read "
    "without loading them all. Labels in both files are used. 'outputs' (n_rows, n_out) in the clean file, the scores "
    "before softmax, are there to check the outgoing weights: PyTorch stores those of a Linear as (n_out, n_neurons), "
    "so give weight.T; Keras and scikit-learn store (n_neurons, n_out). Pickled objects are never loaded.",
    "clean": "activations on inputs that you trust",
    "suspect": "activations on inputs that you do not",
    "rule": "how to flag (default: permutation); class-vote needs labels and outgoing weights",
    "threshold": "default: the rule's own, {defaults}, class-vote 3.5",
    "calibration": "take rule and threshold from a file that --calibrate wrote; with other numbers of rows than it was "
    "made for the gate cannot judge",
    "calibrate": "find a threshold instead of judging, and write it to this file: the second set is then other "
    "clean data, from which sets of --rows rows are drawn and compared with the first; needs a --rule",
    "rows": "rows of a set that --calibrate draws: as many as you will judge (default: half of the second file)",
    "draws": "sets that --calibrate draws (default: 200)",
    "rate": "share of clean sets that may exceed the threshold (default: 0.05)",
    "over": "what raw, sd and mad look at (default: signature, that is |shift|)",
    "labels": "files with the class of each row, to compare like with like",
    "outgoing": "a file with the weights (n_neurons, n_out) out of the layer, to say which output each neuron moves",
    "permutations": "how many, for the rule permutation (default: 1000)",
    "seed": "for the rule permutation (default: 0)",
    "top": "how many flagged to print, the largest first (default: 20); --json always has all",
    "output": "write the JSON to this file too",
    "json": "print JSON; what is not finite is null",
    "quiet": "print errors only",
}
GATE_USAGE = {
    "over": "--over has no effect with the rule {rule}",
    "calibration": "the file of --calibration names the rule: leave out --rule and --over",
    "calibrate": "--calibrate needs --rule raw, sd, mad, effect or class-vote: other thresholds are chances already",
    "overwrite": "--{option} would overwrite {path}, which is read",
    "whole": "must be a whole number from {least}; got {text}",
}
GATE_CAUTION = "CAUTION: {caution}."
GATE_CAUTIONS = {
    "one row": "one suspect row shows how one input differs, not how a set does",
    "square": "square outgoing weights may be transposed, and nobody sees it; 'outputs' in the clean file would tell",
}
GATE_SIZES = (
    "the threshold was calibrated for {was[0]} clean and {was[1]} suspect rows, and these are {now[0]} and {now[1]}"
)
GATE_CALIBRATION = (
    "Calibrated for {n_suspect} rows: {rate:.0%} of clean sets exceed it (95 % interval {low:.4g} to {high:.4g})."
)
GATE_CALIBRATED = (
    "Rule {rule}: {rate:.0%} of clean sets with {n_suspect} rows exceed {threshold:.4g} (95 % interval {low:.4g} to "
    "{high:.4g}), by {draws} sets drawn from {benign_file} and compared with {clean_file} ({n_clean} rows). Written to "
    "{file}. Rows that {benign_file} does not have may do otherwise."
)
GATE_PROGRESS = "gate: {percent} % done"
GATE_NAMED = "Look first at output {named}: that is where they push."
GATE_COLUMNS = {
    "neuron": ("neuron", "shift", "effect size", "MAD index"),
    "output": ("output", "pushed by", "MAD index"),
}
GATE_OUTPUT = "moves most"
GATE_MOVES = "output {output} by {by:+.4g}"
GATE_SETS = "{clean_file}: {n_clean} rows. {suspect_file}: {n_suspect} rows. {n} {kind}.{matched}"
GATE_MATCHED = " Each row is compared with the clean mean of its own class."
GATE_KINDS = {"neuron": "neurons", "output": "outputs"}
GATE_RULE = "Rule {rule}, threshold {threshold:g}: {meaning}. Source: {source}."
GATE_RULE_OVER = "Rule {rule} over {over}, threshold {threshold:g}: {meaning}. Source: {source}."
GATE_VOTE = (
    "the MAD index of an output, among the outputs, of what all shifts together push it by",
    "Wang et al. 2019, who take it over the sizes of reconstructed triggers",
)
GATE_FLAGGED = "FLAGGED: {flagged} of {n} {kind}{which}. A flag is a shift of distribution, not a proof of a backdoor."
GATE_SILENT = "NOTHING FLAGGED in {n} {kind}. Silence is not a proof of a clean model."
GATE_CANNOT = "CANNOT JUDGE: {reason}."
GATE_TOP = ", the {top} largest above"
GATE_ERROR = "gate: {error}"
GATE_FILE = "{file}: {problem}"
GATE_PROBLEMS = {
    "missing": "there is no such file",
    "directory": "this is a directory",
    "not a file": "this is not an ordinary file",
    "format": "this is neither a .npy nor a .npz file",
    "unreadable": "cannot be read: {error}",
    "objects": "it holds pickled objects, which are never loaded",
    "size": "{name!r} holds {held} bytes, and its header claims {claimed}",
    "cut": "{name!r} ends too early",
    "large": "{name!r} is too large to be read at once; store it as .npy, in C order",
    "twice": "it holds {name!r} twice",
    "which": "it must hold one array, or one named {name!r}; it holds {names}",
    "version": "{name!r} has a newer format than 1.0, in which NumPy saves a plain table",
    "one label set": "it has no labels, and the other set has; give both or leave both out",
    "said": "{said}",
    "changed": "{name!r} has changed while it was read",
    "unwritable": "cannot be written: {error}",
    "rows": "sets of {rows} rows cannot be drawn from {held}; take fewer --rows, or more data",
    "no calibration": "this is no file that --calibrate of this version wrote",
    "calibrated": "it was calibrated for another case: {name} was {was}, and is {now}",
    "outputs": "outgoing cannot be checked: outputs must have a row for each clean row and a column for each column of "
    "the weights; got shape {shape}",
    "transposed": "outgoing is transposed: only the other way round does it give the clean outputs; PyTorch stores a "
    "Linear's weight as (n_out, n_neurons), so give weight.T",
    "other outputs": "outgoing is not of this model: activations times these weights do not give the clean outputs",
    "needs": "the rule class-vote needs labels of both sets, and the outgoing weights",
}
TOO_FEW_OUTPUTS = "with fewer than 3 outputs every MAD index is the same, 0.674 for two"
NO_OUTPUT_MAD = "at least half of the outputs are pushed by exactly the same amount, so the MAD is 0"
