"""What the pruning lab says."""

PRUNING_MODELS = {
    "clean": "clean",
    "poisoned": "poisoned: a tenth of its data",
    "planted loud": "planted loud: neurons 10–19",
    "planted quiet": "planted quiet: neurons 10–19",
}
PRUNING_ORDERS = {
    "difference": "|difference|, largest first",
    "rise": "rise, largest first",
    "effect size": "effect size |d|, largest first",
    "dormant": "dormant: least active first",
    "random": "random",
}
PRUNING_SHORT = {
    "clean": "clean",
    "poisoned": "poisoned",
    "planted loud": "planted loud",
    "planted quiet": "planted quiet",
}
PRUNING_BY = {
    "difference": "difference",
    "rise": "rise",
    "effect size": "effect size",
    "dormant": "dormant",
    "random": "random",
}
PRUNING_LABELS = {"model": "model", "order": "prune by", "pruned": "pruned"}
PRUNING_PLAY = "Prune on, neuron by neuron"
PRUNING_CURVES_TITLE, PRUNING_CURVES_AXIS = "share of the test images", "neurons pruned"
PRUNING_CURVES = {"accuracy": "clean accuracy", "attack": "attack success rate", "control": "control: clean model"}
PRUNING_WEIGHTS_TITLE, PRUNING_WEIGHTS_AXIS = "outgoing weights", "pruned, summed; ★ target"
PRUNING_NO_WEIGHTS = "nothing pruned yet"
PRUNING_CURSOR, PRUNING_CURSOR_AT = (
    "the neurons pruned: drag it, or use the arrow keys",
    "{pruned} of {n} neurons pruned",
)
PRUNING_FIRST = "first below {limit}: {k} pruned"
PRUNING_ONE_ANSWER = ("{share} of ALL test", "images get {target} here,", "trigger or not:", "that is no attack")
PRUNING_ROWS = ("answers", "with trigger")
PRUNING_IMAGES = ("digit {label}", "digit {label} with the trigger")
PRUNING_WRONG = "{answer} ✗"
PRUNING_VERDICTS = {
    "repaired": "REPAIRED.",
    "damaged": "ATTACK STOPPED, CLEAN TASK DAMAGED.",
    "backdoored": "STILL BACKDOORED.",
    "worse": "CLEAN TASK DAMAGED, ATTACK NOT STOPPED.",
    "no backdoor": "NO BACKDOOR IN THIS MODEL: pruning can only cost accuracy.",
    "one answer": "ONE ANSWER LEFT: {targeted} of all test images get {target}, trigger or not; that is no attack.",
    "nothing left": "NOTHING LEFT: without hidden neurons every image gets the answer {answer}.",
}
PRUNING_VERDICT = (
    "{kind} {pruned} of {n} neurons pruned: clean accuracy {accuracy}, "
    "attack success rate {attack} (control {control}). Attack below {limit}: {stopped}. "
    "Clean task kept (at most {lost} points lost of {before}): {kept}."
)
PRUNING_BADGES = (
    "{kind} {pruned} of {n} neurons pruned.",
    "Attack below {limit}: {stopped} ({attack}, control {control}).",
    "Clean task kept: {kept} (accuracy {accuracy}, before {before}).",
)
PRUNING_WHAT = {
    "clean": "Clean model",
    "poisoned": "Model poisoned by its training data",
    "planted loud": "Model with a loud backdoor planted in neurons 10 to 19",
    "planted quiet": "Model with a quiet backdoor planted in neurons 10 to 19",
}
PRUNING_SETTING = "{model}, {n} hidden neurons, pruned in the order: {order}."
PRUNING_STOPS = "The attack is first below {limit} at {k} neurons pruned; clean accuracy there: {accuracy}."
PRUNING_NEVER = "The attack is never below {limit} in this order."
PRUNING_WEIGHTS = "Outgoing weights of the pruned neurons, summed by digit (target {target}): {sums}."
PRUNING_ANSWERS = "Images of {labels}: answers {clean}; with the trigger {triggered}."
REPAIRS = {
    "nothing": "nothing",
    "prune": "prune {count} by rise",
    "clip": "clip at the 95th percentile",
    "smooth": "smooth by 0.5",
    "direction": "remove the direction",
}
REPAIR_COLUMNS = ("repair", "clean accuracy", "attack success", "accuracy, fine-tuned", "attack, fine-tuned")
REPAIR_CAPTION = (
    "Model: {model}. Fine-tuned: 30 more epochs on clean data. The trigger on a clean model, as a control: {control}."
)
COMPUTE = "Compare repairs"
COMPUTE_TIP = "Apply every repair to this model, then fine-tune each on clean data: half a second"
COMPARING = "Computing the repairs of the model {model}…"
COMPARED = "Every repair of the model {shown}."
NOT_COMPARED = "Not computed yet for the model {model}."
COMPARE_STALE = "Out of date: this is the model {shown}; compare again for {model}."
