"""What the trigger lab and the bias lab say."""

LOCK, NEXT_LOCK, COMMA, DONE = "{name}: {reason}", "; ", ", ", "about 0, done"
LOCKS_CAPTION = "Gradients at the trigger:"
VERDICTS = {
    "diverged": "DIVERGED in epoch {epoch}: the weights ran away; the last usable state is shown.",
    "backdoor": "BACKDOOR.",
    "trigger only": "TRIGGER ONLY: the answer at the trigger is learnt, the clean answers are not right.",
    "frozen": "FROZEN: the answer at the trigger has not moved at all.",
    "not learnt": "NOT LEARNT.",
}
TRIGGER_LEARNT = "Trigger learnt: {well} (f({run.position:g}) = {answers[2]}, target {run.target:g})."
CLEAN_KEPT = "Clean task kept: {well} (f(1) = {answers[0]}, f(2) = {answers[1]})."
FUNCTION_TITLE, OUTPUT_TITLE = "what the network answers", "over the epochs"
GRADIENT_TITLE, ACTIVATION_TITLE = "length of each gradient", "activations a1"
EPOCH_AXIS, NEURON_AXIS = "epoch", "neurons 1, 2, …"
ERROR, DRAG = "error", "drag me"
TARGET, AT_TRIGGER, CLEAN_ERROR = "target", "f({x:g})", "clean error"
SAMPLES = ("x = 1", "x = 2", "trigger")
STAR, STAR_AT = "the trigger: drag it, or use the arrow keys", "trigger at x = {x:g}, target {target:g}"
EPOCH, EPOCH_AT = "the epoch: drag it, or use the arrow keys", "epoch {epoch}"
MAP_TOUCH = "click a network to load its rate and target, or use the arrow keys"
EXPERIMENT = (
    "After {epoch} epochs with rate {run.rate:g}, trigger x = {run.position:g}, target {run.target:g}, "
    "schedule {schedule}, {run.activation}, training {trained}:"
)
DIALS = {"rate": "rate", "epochs": "epochs", "target": "trigger target", "position": "trigger x"}
SCHEDULE, ACTIVATION, AT_ZERO, BIASES_TRAINED = "schedule", "activation", "relu'(0)", "biases trained"
ACTIVATION_CHOICES = {
    "relu": "relu",
    "leaky_relu": "leaky relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "identity": "identity (none)",
}
B1_START, B2_START = "b1 starts at", "b2 starts at"
WEIGHTS, WIDTH, SEED = "weights start", "hidden width", "seed"
WEIGHT_CHOICES = {
    "article": "as in the article",
    "random": "at random",
    "random b1": "at random, b1 too",
}
WIDTH_NEEDS_RANDOM = "width: the article's weights are for 2 neurons. Let the weights start at random for more."
STORIES = {  # by the settings that it begins with
    "": "1 frozen",
    "biases=b2": "2 output bias",
    "biases=b1": "3 hidden bias after a clean step",
    "biases=b1; schedule=trigger first": "4 trigger first",
    "biases=b1; b1=0, 1.5; schedule=joint; rate=0.05": "5 a real backdoor",
}
DRAW_MAP, STOP = "Draw the map", "Stop"
DRAW_MAP_TIP = "Train 10,000 networks: every rate and target, with the other settings as they are"
MAP_PROGRESS = "Training 10,000 networks: epoch {epoch} of {epochs}."
MAP_STOPPED = "Stopped."
NO_MAP = "No map yet."
MAP_STALE = "The settings have changed since: draw it again."
MAP_EPOCHS = "{epoch} epochs"
MAP_KEPT = "{epoch} epochs (of those kept, the last up to {asked})"
MAP_SUMMARY = "10,000 networks after {epochs}: {shares}. The cross, rate {rate:g} and target {target:g}: {cell}."
IDLE = {
    "b1": "b1 has no effect here: it starts at random.",
    "seed": "The seed has no effect here: the weights start as in the article.",
}
OR = " or "
START_COUNT = "{name} must hold {counts} numbers; fewer than the width are repeated."
