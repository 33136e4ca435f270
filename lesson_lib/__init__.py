"""Backdoor by Hand: a two-layer ReLU net small enough to train, attack and inspect on paper.

The names that the notebooks use, in the order of the course. Open the rooms in the same order: `network`, `training`,
`derivation`, `proofs`, `sweeps`, `naa`, `digits`, `repair`, `capture`, `gate`. `pictures`, `exercises` and `labs` show
what those compute.
"""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "network": "ARTICLE Params forward loss backward sgd_step",
        "training": "CLEAN TRIGGER POISONED Dataset train",
        "derivation.derive": "derive_step",
        "proofs.certificate": "certify",
        "proofs.never": "fix_matrix prove_frozen prove_homogeneous",
        "sweeps.experiment": "Experiment",
        "sweeps.studies": "endings outcome_map width_study report",
        "naa.article": "detect_backdoor_via_naa simulate_activations score",
        "naa.judgement": "RULES analyse class_vote",
        "digits": "CORNER CENTRE QUIET SHIFTS load poison stamp triggered plant train_classifier accuracy "
        "attack_success_rate dots",
        "repair.classifier": "fine_tune",
        "repair.repairs": "prune clip smooth remove_direction order pruning_curve",
        "capture.reading": "hidden_activations layer_names",
        "tables": "Table",
        "pictures.finished": "map_picture success_curve article_figure image_strip",
        "exercises.catalogue": "unknown_set",
        "labs.exercises": "Exercises",
        "labs.hand_calculation.widget": "HandCalculationLab",
        "labs.training.widget": "FirstLook TriggerLab",
        "labs.training.bias": "BiasLab",
        "labs.naa.widget": "NAALab",
        "labs.pruning.widget": "PruningLab",
    },
)
