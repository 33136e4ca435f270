"""What the NAA lab says."""

NAA_SOURCES = (
    ("simulation, 512 neurons", "simulation"),
    ("frozen attack", "frozen attack"),
    ("spoiled attack", "spoiled attack"),
    ("learnt backdoor", "learnt backdoor"),
    ("hand-made backdoor", "hand-made backdoor"),
)
NAA_RULES = (
    ("raw: the article's", "raw"),
    ("sd: mean + deviations", "sd"),
    ("mad: robust deviations", "mad"),
    ("effect: Cohen's d", "effect"),
    ("bh: false discoveries", "bh"),
    ("permutation", "permutation"),
)
NAA_OVER = (("|difference|", "signature"), ("signed shift", "shift"), ("effect size", "effect_size"))
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
