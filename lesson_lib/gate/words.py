"""What the gate prints, and its help."""

GATE = {
    "about": "Compare the activations of a layer on suspect inputs with those on clean ones, and flag the neurons that "
    "shifted. Exit status: 0 nothing flagged, 1 flagged, 2 could not judge.",
    "files": "A file is .npy (n_rows, n_neurons) or .npz with an array 'activations' (or only one array) and, if you "
    "like, 'labels' (n_rows,) and 'outgoing' (n_neurons, n_out). Activations in C order, as NumPy makes them, are read "
    "without loading them all. Labels in both files are used. Pickled objects are never loaded.",
    "clean": "activations on inputs that you trust",
    "suspect": "activations on inputs that you do not",
    "rule": "how to flag (default: mad); class-vote needs labels and outgoing weights",
    "threshold": "default: the rule's own, {defaults}, class-vote 3.5",
    "over": "what raw, sd and mad look at (default: signature, that is |shift|)",
    "labels": "files with the class of each row, to compare like with like",
    "outgoing": "a file with the weights (n_neurons, n_out) out of the layer, to say which output each neuron moves",
    "permutations": "how many, for the rule permutation (default: 1000)",
    "seed": "for the rule permutation (default: 0)",
    "top": "how many flagged to print, the largest first (default: 20); --json always has all",
    "json": "print JSON; what is not finite is null",
}
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
    "needs": "the rule class-vote needs labels of both sets, and the outgoing weights",
}
TOO_FEW_OUTPUTS = "with fewer than 3 outputs every MAD index is the same, 0.674 for two"
NO_OUTPUT_MAD = "at least half of the outputs are pushed by exactly the same amount, so the MAD is 0"
