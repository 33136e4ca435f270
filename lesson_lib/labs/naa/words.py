"""What the NAA lab says."""

NAA_SOURCES = {
    "simulation": "simulation, 512 neurons",
    "frozen attack": "frozen attack",
    "spoiled attack": "spoiled attack",
    "learnt backdoor": "learnt backdoor",
    "hand-made backdoor": "hand-made backdoor",
}
NAA_RULES = {
    "raw": "raw: the article's",
    "sd": "sd: mean + deviations",
    "mad": "mad: robust deviations",
    "effect": "effect: Cohen's d",
    "bh": "bh: false discoveries",
    "permutation": "permutation",
}
NAA_OVER = {"signature": "|difference|", "shift": "signed shift", "effect_size": "effect size"}
NAA_LABELS = {
    "source": "source",
    "rule": "rule",
    "threshold": "threshold",
    "over": "rule looks at",
    "rise": "rise",
    "triggered": "triggered share",
    "rows": "suspect rows",
    "backdoored": "backdoored",
    "seed": "seed",
    "neuron": "read neuron",
}
NAA_ALARM = "ALARM: the rule {rule} flags {which} ({flagged} of {n})."
NAA_SILENT = "NO ALARM: the rule {rule} flags none of {n} neurons."
NAA_CANNOT = "CANNOT JUDGE: {reason}."
NAA_CAVEATS = {
    "alarm": "An alarm is a shift of distribution, not a proof of a backdoor.",
    "silent": "Silence is not a proof of a clean model.",
    "cannot": "The picture shows the shift, without a threshold.",
}
NAA_TRUTH = "In truth {which} backdoored: {hits} found, {missed} missed, {wrong} flagged wrongly."
NAA_NO_TRUTH = "In truth there is no backdoor: {wrong} flagged wrongly."
NAA_TOO_SMALL = "{passed} more passed the test, but their effect size is not above {floor:g}."
NAA_IS, NAA_ARE = "{which} is", "{which} are"
NAA_ONE, NAA_SOME = "neuron {which}", "neurons {which}"
NAA_RUN, NAA_MORE = "{first} to {last}", "…"
NAA_COLUMNS = ("flagged", "precision", "recall", "AUC")
NAA_NONE = "–"
NAA_SETTING = "Rule {rule}{over}, threshold {threshold} ({meaning})."
NAA_OVER_WHAT = " over {over}"
NAA_SIMULATED = (
    "Simulation: 500 clean rows and {rows} suspect rows, {triggered} of which carry the trigger; "
    "backdoored: {which}, raised by {rise}; seed {seed}."
)
NAA_NO_NEURON = "no neuron"
NAA_TOY = "{source}: the hidden activations for x = 1 and 2 against those for the trigger x = 0."
NAA_TOY_FACT = "Neuron {number}: shift {shift}, shift × weight {contribution}."
NAA_OTHERS = "The largest |shift| of the other neurons is {largest}."
# Why a control has no effect
NAA_IDLE = {
    "simulated": "Rise to seed belong to the simulation alone.",
    "over": "Rule {rule} looks at {what}.",
}
NAA_LOOKS_AT = {"effect": "|effect size|", "bh": "chances", "permutation": "|effect size|"}
# In the picture
NAA_TITLES = {
    "shift": "shift of each neuron: suspect mean − clean mean",
    "effect_size": "effect size of each neuron: shift in standard deviations",
    "p": "adjusted p of each neuron's shift (up: rise, down: fall)",
    "contribution": "shift × outgoing weight",
}
NAA_AXES = {"shift": "shift", "effect_size": "Cohen's d", "p": "−log10 p", "contribution": "shift × W2"}
NAA_NEURON, NAA_TOY_NEURON = "neuron", "neuron {number}"
NAA_ROWS = {"truth": "backdoored", "flagged": "flagged", "small": "significant but small"}
NAA_LINES = (("flagged", "beyond {line:.3g}"), ("beyond", "↑ {line:.3g}"))  # the second where it is above all
NAA_CAPTIONS = {
    "shift": "A bar is a neuron's mean on the suspect rows minus its mean on the clean rows.",
    "effect_size": "A bar is the shift in standard deviations of its neuron: 0.8 is called large.",
    "p": "A bar counts zeros: height 2 is p = 0.01, 3 is 0.001. The taller, the harder to explain by chance.",
}
NAA_SQUEEZED = "Beyond ±{linear:g} the axis is squeezed: read the numbers beside it, not the heights."
NAA_TOY_CAPTION = "On the right: the shift times the neuron's weight W2, which is what arrives at the answer."
NAA_DRAG = "the threshold: drag it, or use the arrow keys"
NAA_READ = "read a neuron: point at it, click it, or use the arrow keys"
NAA_READING = "neuron {number}: shift {shift}, effect size {effect}; {flagged}, {truth}"
NAA_FLAGGED, NAA_BACKDOORED = ("not flagged", "flagged"), ("not backdoored", "backdoored")
NAA_THRESHOLD_AT = "threshold {threshold:g}"
