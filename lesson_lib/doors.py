"""The doors of the course and of its rooms: a name is imported when it is first asked for, not before."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

NAMES = {  # by the module that defines them, in the order of the course
    "language": "use",
    "network": "ARTICLE Params forward loss backward sgd_step",
    "training": "CLEAN TRIGGER POISONED Dataset train",
    "derivation.symbols": "symbolic_params",
    "derivation.derive": "derive_step",
    "proofs.certificate": "certify",
    "proofs.lock": "locks fix_matrix prove_frozen prove_homogeneous",
    "sweeps.experiment": "Experiment random_start run_many",
    "sweeps.studies": "endings outcome_map width_study report",
    "naa.article": "detect_backdoor_via_naa simulate_activations score",
    "naa.comparison": "compare match_classes",
    "naa.judgement": "RULES judge analyse class_vote",
    "naa.calibration": "calibrate",
    "digits": "CORNER CENTRE QUIET SHIFTS load poison stamp triggered plant train_classifier accuracy "
    "attack_success_rate dots",
    "repair.classifier": "fine_tune",
    "repair.repairs": "prune clip smooth remove_direction order pruning_curve",
    "detectors.cleanse": "neural_cleanse",
    "detectors.training_rows": "activation_clustering spectral_scores",
    "attacks": "ATTACKS poison_by success_rate",
    "capture.reading": "hidden_activations layer_names",
    "gate.__main__": "main",
    "tables": "Table",
    "pictures.finished": "map_picture success_curve article_figure image_strip endings_picture function_picture",
    "exercises.catalogue": "unknown_set",
    "labs.exercises": "Exercises",
    "labs.hand_calculation.widget": "HandCalculationLab",
    "labs.training.widget": "FirstLook TriggerLab",
    "labs.training.bias": "BiasLab",
    "labs.naa.widget": "NAALab",
    "labs.pruning.widget": "PruningLab",
}


def door(package: str, *guests: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return __getattr__, __dir__ and __all__ (PEP 562) of a package: its own names, and guests from other rooms."""
    homes = {name: f"lesson_lib.{module}" for module, line in NAMES.items() for name in line.split()}
    inside = [name for name, home in homes.items() if home.startswith(f"{package}.") or name in guests]

    def get(name: str) -> Any:
        if name not in inside:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return get, lambda: sorted({*vars(sys.modules[package]), *inside}), inside
