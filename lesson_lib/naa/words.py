"""What a rule says, why it cannot judge, and what its threshold is."""

FLAGS, CANNOT_JUDGE = "The rule {rule} flags {flagged} of {n} neurons.", "The rule {rule} cannot judge: {reason}."
TOO_FEW_FOR_SPREAD = "a spread over the neurons needs at least 3 of them"
NO_SPREAD = "all neurons shifted by the same amount, so there is no spread to compare with"
TOO_FEW_FOR_MAD = "with fewer than 3 neurons every MAD index is the same, 0.674 for two"
NO_MAD = "at least half of the neurons shifted by exactly the same amount, so the MAD is 0"
TOO_FEW_FOR_EFFECT = "an effect size needs at least 3 rows in all"
TOO_FEW_FOR_WELCH = "Welch's test needs at least 2 rows in each set, and in some class if classes are matched"
INFINITE_SPREAD = "constant neurons shifted, so effect sizes are infinite and have no spread to compare with"
TOO_FEW_PERMUTATIONS = "a chance as small as the threshold needs more permutations, or a larger threshold"
TOO_FEW_SPLITS = "so few rows have too few divisions for a chance as small as the threshold"
THRESHOLD_IS = {
    "raw": "|shift| above it is flagged",
    "sd": "standard deviations above the mean",
    "mad": "the MAD index",
    "effect": "|Cohen's d| above it is flagged",
    "bh": "the false discovery rate",
    "permutation": "the chance of any false flag",
}
