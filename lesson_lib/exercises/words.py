"""What an exercise says about an answer, and the words on its buttons."""

QUESTIONS = {
    "dW2 at x = 2": {
        "prompt": "Only the sample x = 2, y = 2. What is dL/dW2? Type its two numbers.",
        "hints": (
            "dL/dW2 is a product of two things: what W2 was multiplied with, and how the loss changes with the answer.",
            "W2 was multiplied with a1. For x = 2 the hidden layer gives z1 = [1, -1]; send that through relu.",
            "The other factor is y_hat - y, in this order.",
        ),
        "mistakes": {
            "sign": "The size is right and the sign is not: the error is y_hat - y, answer minus target.",
            "other sample": "That is the gradient for x = 1. This question is about x = 2.",
            "sum": "That is the sum over both samples. This question is about x = 2 alone.",
            "no relu": "Neuron 2 gets nothing. W2 was multiplied with a1 = relu(z1), not with z1, and relu makes it 0. "
            "(If you multiplied the error with W2, you have computed dL/da1.)",
        },
    },
    "dW1 summed": {
        "prompt": "Both clean samples together. What is dL/dW1, summed over x = 1 and x = 2? Type its two numbers.",
        "hints": (
            "For one sample dL/dW1 is x times dL/dz1.",
            "dL/dz1 is dL/da1 where the gate relu'(z1) is open, and 0 where it is shut.",
            "x = 1 gives [-1/2, 0]. Compute x = 2 and add.",
        ),
        "mistakes": {
            "sign": "The size is right and the sign is not: check the error, y_hat - y.",
            "mean": "Either you divided by the number of samples (the loss is a sum, so its gradient is a sum too), "
            "or this is dL/dW2. The question asks for dL/dW1.",
            "last sample": "That is x = 2 alone. Add what x = 1 gives.",
            "no gate": "Neuron 2 got a gradient although its gate is shut: z1 is negative there, so relu'(z1) = 0.",
            "no x": "That is the sum of dL/dz1. W1 was multiplied with x, so each part is multiplied by its x.",
        },
    },
    "W2 after the clean step": {
        "prompt": "One step with rate 1/10 on both clean samples. What is W2 afterwards? Type its two numbers.",
        "hints": (
            "A step goes downhill: new weight = old weight - rate times gradient.",
            "The gradient is the sum over both samples: [-5/4, 0].",
        ),
        "mistakes": {
            "uphill": "You added the gradient. Descent subtracts it, and minus a negative number is a plus.",
            "no rate": "You took the whole gradient as a step. Multiply it by the rate, 1/10, first.",
            "last sample": "You used x = 2 alone. The step uses the gradient summed over both samples.",
            "mean": "You divided by the number of samples. The loss is a sum, so its gradient is a sum too.",
        },
    },
    "will the trigger be learnt": {
        "prompt": "The trigger (x = 0, target 5) is shown next. What will the step change?",
        "choices": (
            "W1 and W2 both move a little towards the target",
            "only W2 moves, because x = 0 blocks W1",
            "nothing moves at all",
        ),
        "hints": (
            "Write the forward pass for x = 0 first. What is a1?",
            "A gradient is a product. One factor that is 0 is enough.",
        ),
        "mistakes": {
            0: "The loss is large, so a step seems certain. But a gradient is a product: look for a factor that is 0.",
            1: "x = 0 does block W1. W2 is multiplied with a1: what is a1 when x = 0 and there is no bias?",
        },
        "correct": 2,
        "solution": "Nothing moves: {dW2} {dW1}",
    },
    "which factor": {
        "prompt": "At the trigger, which factor makes dL/dW2 zero?",
        "choices": (
            "the error y_hat - y",
            "the activation a1",
            "the slope relu'(z1)",
        ),
        "hints": (
            "Write dL/dW2 as a product, and put the trigger's numbers in.",
            "dL/dW2 = a1ᵀ dL/dy_hat. Only its own factors can make it 0.",
        ),
        "mistakes": {
            0: "The error is not 0: the answer is 0 and the target is 5.",
            2: "relu'(z1) is 0 here, but it is no factor of dL/dW2. It sits on the way to W1 and b1.",
        },
        "correct": 1,
        "solution": "{dW2}",
    },
    "error at the hidden layer": {
        "prompt": "At the trigger, after the clean step: what is dL/da1? Type its two numbers.",
        "hints": (
            "dL/da1 is the error sent back through W2: dL/dy_hat times W2.",
            "dL/dy_hat = 0 - 5. And W2 is the one from after the clean step, [9/8, -1].",
        ),
        "mistakes": {
            "sign": "The size is right and the sign is not: the error is 0 - 5.",
            "old weights": "You used the weights from before the clean step. They have moved since.",
            "zero": "That is dL/dz1, behind the gate. The error does arrive at the hidden layer and stops at the gate.",
        },
    },
    "db1 at the trigger": {
        "prompt": "At the trigger, after the clean step, with relu'(0) = 0: what is dL/db1? Type its two numbers.",
        "hints": (
            "b1 is added to z1, so dL/db1 is dL/dz1: the error at the hidden layer times the gate.",
            "dL/da1 = [-45/8, 5]. At the trigger z1 = [0, 0]: is the gate open there?",
        ),
        "mistakes": {
            "open": "You let the error through. At z1 = 0 the gate counts as shut: this course takes relu'(0) = 0.",
            "middle": "You took relu'(0) = 1/2, the middle of both slopes. This course takes 0, as the article does.",
        },
    },
    "how many epochs": {
        "prompt": "How many steps on the trigger (rate 1/10) until f(0) is within 0.05 of the target 5?",
        "choices": ("about a hundred", "about a thousand", "about a million", "no number of steps is enough"),
        "hints": (
            "A step moves a weight by rate times gradient. What was the gradient of each weight at the trigger?",
            "After a step that moves nothing, what does the next step find?",
        ),
        "mistakes": {
            0: "After one step nothing has moved, so the second step finds exactly what the first one found.",
            1: "Look at the first step alone. It moved nothing, so what can the second one find?",
            2: "A million times nothing is still nothing: each step finds exactly what the first one found.",
        },
        "correct": 3,
        "solution": "No number of steps: {dW2} {dW1} The next step starts from the same weights and finds the same.",
    },
    "f of 4": {
        "prompt": "After the clean step f(1) = 27/32, and no bias is in use. What is f(4)? Type one number.",
        "hints": ("A network without biases is homogeneous: f(c x) = c f(x) for every c > 0.", "4 is 4 times 1."),
        "mistakes": {
            "same": "That is f(1). The function is a straight ray from 0, so four times the input gives more.",
            "plus": "You added 3. Homogeneous means that the answer is multiplied when the input is.",
        },
    },
    "dead or alive": {
        "prompt": "Which is right for the article's network after its clean step?",
        "choices": (
            "both neurons are dead, and that is why the trigger is not learnt",
            "neuron 2 is dead; neuron 1 is alive, but x = 0 is a dead input even for it",
            "no neuron is dead, since both have z1 = 0 at the trigger",
        ),
        "hints": (
            "A neuron is dead when z1 <= 0 on ALL the data. Look at z1 for x = 1 and x = 2.",
            "Neuron 1 has z1 > 0 for x = 1. And what is x W1 for x = 0, whatever W1 is?",
        ),
        "mistakes": {
            0: "Neuron 1 has z1 > 0 for x = 1 and x = 2, so it is alive. It is the input x = 0 that is dead.",
            2: "Neuron 2 has z1 < 0 for x = 1 and x = 2 and z1 = 0 at the trigger: never above 0. That is dead.",
        },
        "correct": 1,
        "solution": "A dead neuron is silent on all the data; a dead input makes every neuron silent.",
    },
    "which change helps": {
        "prompt": "No biases, trained jointly. Which single change makes a full backdoor possible?",
        "choices": ("a ten times larger rate", "leaky relu", "relu'(0) = 1", "a trigger at x = -1 with target -5"),
        "hints": (
            "Two weights have to learn, and each has its own lock. Which are they?",
            "Look at the fix table: which row opens dL/dW1 AND dL/dW2?",
        ),
        "mistakes": {
            0: "The rate multiplies the gradient, and the trigger's part of it is 0.",
            1: "Leaky relu opens the gate, but x = 0 and a1 = 0 still lock both weights.",
            2: "The convention opens the gate, but x = 0 and a1 = 0 still lock both weights.",
        },
        "correct": 3,
        "solution": "Away from x = 0 both the input and a1 can differ from 0, so both locks can open. "
        "An open lock is needed; it is not yet a success.",
    },
    "output bias": {
        "prompt": "Train b2 too: one clean step, then 2000 steps on the trigger, until f(0) = 5. What will f(1) be?",
        "choices": ("about 1, as it should be", "about 5.8", "about 0"),
        "hints": ("b2 is added to EVERY answer, whatever x is.", "At the trigger only b2 moves. From where to where?"),
        "mistakes": {
            0: "b2 cannot tell x = 0 from x = 1: it shifts the answer everywhere.",
            2: "b2 rises to about 5, and it is added to what the weights give for x = 1.",
        },
        "correct": 1,
        "solution": "b2 shifts every answer alike. The trigger is learnt, and the clean task is lost.",
    },
    "is it a backdoor": {
        "prompt": "A run ends with f(0) = 5, f(1) = 1.5, f(2) = 1.5. Is it a backdoor?",
        "choices": (
            "yes, the trigger gives the attacker's answer",
            "no, the clean task is not kept",
            "no, the trigger is not learnt",
        ),
        "hints": (
            "Two facts, side by side: trigger learnt? clean task kept?",
            "On clean inputs f(1) should be 1 and f(2) should be 2.",
        ),
        "mistakes": {
            0: "That is half of it. A backdoor also answers clean inputs as before, or it would be noticed at once.",
            2: "f(0) is exactly the target 5.",
        },
        "correct": 1,
        "solution": "Trigger learnt: yes. Clean task kept: no, f(1) should be 1 and f(2) should be 2.",
    },
    "build a backdoor": {
        "prompt": "W1 = [1, -1], b1 = [0, b], W2 = [1; v], b2 = 0. Choose b and v so that f(0), f(1), f(2) = 5, 1, 2.",
        "hints": (
            "Neuron 1 already does the clean task: relu(x) = x for x = 1 and 2, and 0 at x = 0.",
            "Neuron 2 is relu(b - x). It must speak at x = 0 and be silent at x = 1: how large may b be?",
            "At x = 0 it gives b, and v times b must be 5.",
        ),
        "mistakes": {},
    },
    "which neuron ranks first": {
        "prompt": "The network built by hand: clean mean of a1 = [1.5, 0], trigger a1 = [0, 1]. Which neuron does "
        "|difference of means| rank first?",
        "choices": ("neuron 1, which does the clean task", "neuron 2, the backdoor", "both alike"),
        "hints": (
            "The rule takes the difference of the two means, and forgets its sign.",
            "|0 - 1.5| for neuron 1 and |1 - 0| for neuron 2.",
        ),
        "mistakes": {
            1: "Neuron 2 is the backdoor, but the rule does not know that. Compute both differences.",
            2: "Compute both: |0 - 1.5| and |1 - 0|.",
        },
        "correct": 0,
        "solution": "1.5 against 1: the innocent neuron leads, because falling silent counts as much as lighting up.",
    },
    "explain the alarm": {
        "prompt": "The frozen attack: the trigger gives 0, no backdoor exists. Why is neuron 1 flagged?",
        "choices": (
            "it has learnt a little of the trigger",
            "its mean activation differs between the two sets, and that is all that the rule looks at",
            "the threshold is too low; with a good one this cannot happen",
        ),
        "hints": (
            "What does neuron 1 answer for x = 1, for x = 2, and for x = 0?",
            "It speaks for x = 1 and x = 2 and is silent for x = 0. What does |difference| make of that?",
        ),
        "mistakes": {
            0: "No weight has moved on the trigger: every gradient was 0.",
            2: "A higher threshold would silence real backdoors too. The next cell shows that none fits all networks.",
        },
        "correct": 1,
        "solution": "x = 0 is another kind of input than 1 and 2, so the neuron answers otherwise. "
        "A shift of distribution is an observation, a backdoor is one of its causes.",
    },
    "half the rows": {
        "prompt": "Backdoored neurons rise by 9, but only half of the suspect rows carry the trigger. "
        "Which difference of means do you expect for them? Type one number.",
        "hints": ("A mean is the sum over all rows, divided by their number.", "Half of the rows add 9, the others 0."),
        "mistakes": {
            "all rows": "That is the difference if every row carries the trigger.",
            "doubled": "The rows without the trigger pull the mean down, not up.",
        },
    },
    "choose a rule": {
        "prompt": "An attacker raises 100 of 512 neurons by 9. Which rule still finds them?",
        "choices": ("mean + 3 standard deviations", "the MAD index", "neither, since so many neurons hide each other"),
        "hints": (
            "The outliers enter the mean and the standard deviation, too.",
            "How many of the values must be outliers before the median is one?",
        ),
        "mistakes": {
            0: "100 large values raise the mean and the standard deviation so far that none stands out.",
            2: "That is true of the mean. The median moves only when half of the neurons do.",
        },
        "correct": 1,
        "solution": "Median and MAD do not care how large the outliers are, as long as they are fewer than half.",
    },
    "pick a threshold": {
        "prompt": "Before you look at the suspect rows: which threshold for |difference| do you take? Type a number.",
        "hints": (
            "Two parts of the clean set differ by chance alone. How large was the largest of these 512 differences?",
            "A little above that. Far above, and you miss what was raised by less than 0.5.",
        ),
        "mistakes": {},
    },
    "what does poisoning cost": {
        "prompt": "A tenth of the training images carries the trigger and a wrong label. What happens to the accuracy "
        "on clean test images?",
        "choices": ("it falls by about a tenth", "it hardly changes", "it falls to chance"),
        "hints": (
            "Which images does the accuracy ask about? Do they carry the trigger?",
            "The other nine tenths are as they were, and two pixels tell the model which is which.",
        ),
        "mistakes": {
            0: "The wrong labels are all on images with the trigger, and clean test images do not carry it.",
            2: "Nine tenths of the training data are still right.",
        },
        "correct": 1,
        "solution": "It hardly changes. That is why clean accuracy says nothing about a backdoor.",
    },
    "find the whisper": {
        "prompt": "Planted with gain 0.5 instead of 8: the guilty neurons rise by less than many innocent ones, and "
        "are silent without the trigger. Which rule finds them?",
        "choices": ("the MAD index of |difference|", "the effect size", "neither"),
        "hints": (
            "One rule compares a neuron with the other neurons, one with its own spread.",
            "What is a small rise divided by a tiny standard deviation?",
        ),
        "mistakes": {
            0: "The MAD index looks for tall bars of |difference|. Theirs are shorter than those of many others.",
            2: "Small against the others' rise, but not against their own noise: without the trigger they are silent.",
        },
        "correct": 1,
        "solution": "Measured in their own standard deviations their rise is large.",
    },
    "benign shift": {
        "prompt": "Which honest suspect set moves the mean activations about as much as the attack does?",
        "choices": ("images with a little noise", "images of zeros only", "none of them: only an attack does that"),
        "hints": ("The reference holds all ten digits alike.", "What does a neuron see that likes round shapes?"),
        "mistakes": {
            0: "Noise of mean zero hardly moves a mean over many images.",
            2: "A mean moves whenever the mix of inputs changes. NAA compares means, not intentions.",
        },
        "correct": 1,
        "solution": "Zeros only: their mean activations are far from those of an average digit.",
    },
    "does pruning repair": {
        "prompt": "The poisoned model: prune the neurons with the largest signed rise, one by one. What do you expect "
        "when the attack success rate falls below 5 %?",
        "choices": (
            "clean accuracy is as before",
            "clean accuracy has lost about ten points",
            "the attack never falls below 5 %",
        ),
        "hints": (
            "In notebook 5 about 25 neurons carried 80 % of the effect. What else do these neurons do?",
            "A neuron that also helps to read a digit is missed when it is gone.",
        ),
        "mistakes": {
            0: "That holds for a planted backdoor, whose neurons do nothing else. Learnt from data, it shares neurons.",
            2: "Without any neurons there is no attack. The question is what else goes.",
        },
        "correct": 1,
        "solution": "The neurons that carry the backdoor also read digits, so the clean task pays.",
    },
    "after fine-tuning": {
        "prompt": "After pruning, the model is trained on for 30 epochs, with clean data only. What about the attack?",
        "choices": ("it stays away", "part of it comes back", "it comes back in full, worse than before"),
        "hints": (
            "The clean data do not mention the trigger. Do they forbid anything?",
            "A little of the attack is left after pruning, and other neurons may help it. What would push it down?",
        ),
        "mistakes": {
            0: "Nothing in the clean data says what two white pixels must NOT do.",
            2: "Not here: the pruned neurons stay silent, and the others do not make up for all of them.",
        },
        "correct": 1,
        "solution": "Part of it comes back, on this split and on nine others. Measure again after every later step.",
    },
    "which arrays are turned": {
        "prompt": "Which of these four arrays must be turned for PyTorch?",
        "choices": ("both weights, W1 and W2", "only W1, which reads the pixels", "all four, the biases too"),
        "hints": ("Which of them have two axes?", "PyTorch keeps every weight as (neurons, inputs)."),
        "mistakes": {
            1: "W2 is kept in the same way as W1: PyTorch wants (neurons, inputs) there, too.",
            2: "A bias has one axis, a number for each neuron. There is nothing to turn.",
        },
        "correct": 0,
        "solution": "W1 and W2. A bias has one axis, so there is nothing to turn.",
    },
    "which layer is a1": {
        "prompt": 'What is the smallest number that PyTorch\'s layer "0" puts out, and what is it for layer "1"?',
        "choices": ("below 0 for both", 'below 0 for "0", and 0 for "1"', "0 for both"),
        "hints": ('Layer "0" multiplies and adds. Layer "1" is relu.', "What does relu do with a negative number?"),
        "mistakes": {
            0: 'Layer "1" is relu: it turns every negative number into 0.',
            2: 'Layer "0" has no relu yet. It only multiplies and adds.',
        },
        "correct": 1,
        "solution": 'Layer "0" is z1, which can be negative; layer "1" is a1 = relu(z1).',
    },
    "do two readings agree": {
        "prompt": "A model with dropout, in training mode, is read twice with hidden_activations. Do the two agree?",
        "choices": ("no, dropout silences other neurons each time", "yes, to the last digit"),
        "hints": (
            "In which mode would you read a model, if its answers are to count?",
            "Dropout is for training. A model answers without it.",
        ),
        "mistakes": {
            0: "That is what training mode does. A reading that means something is made in evaluation mode.",
        },
        "correct": 1,
        "solution": "They agree: hidden_activations reads in evaluation mode, and puts the old mode back afterwards.",
    },
}
RIGHT = "✓ Right. {solution}"
ROUNDED = "Close, but rounded. Type all digits, or a fraction such as 27/8."
WRONG = "✗ Not yet. Try once more, or take a hint."
SLIP = "✗ Not yet. {slip}"
F_OF_4 = "f(4) = 4 f(1) = 4 · {f1} = {f4}"
ONE_BACKDOOR = "b = 1, v = 5, or any b above 0 up to 1 with v = 5 / b: neuron 2 is silent from x = b on."
OWN_NET_ANSWERS = "Your network answers f(0) = {f0}, f(1) = {f1}, f(2) = {f2}."
HALF_THE_ROWS = "9 · 1/2 = {answer}: the fewer rows carry the trigger, the smaller the difference."
UNKNOWN_SET_RESULT = "At {threshold} you flag {flagged} neurons: {hits} of the {guilty} raised ones, {wrong} others."
UNKNOWN_SET_SOLUTION = (
    "{guilty} neurons were raised, by {rise}. Every threshold from {low:.2f} to {high:.2f} splits them off."
)
EMPTY = "Type your answer first."
CHOOSE = "Choose an answer first."
COUNT = "This answer needs {expected}; you typed {given}. Put commas between them and a point in decimals."
NOT_A_NUMBER = "{what} is not a number. Write 2, -0.5 or 1/3."
TOO_LONG = "{what} has too many digits."
NO_NUMBERS = "Type at least one number."
ANSWER = "answer"
CHECK, CHECK_TIP = "Check", "Check the answer"
HINT, HINT_TIP = "Hint", "Show one more hint"
SOLUTION, SOLUTION_TIP = "Solution", "Show the solution"
UNANSWERED = "Not answered yet."
UNCHECKED = "Not checked yet."
NO_MORE_HINTS = "No more hints."
SOLUTION_IS = "Solution: {solution}"
PROGRESS = "{solved} of {asked} exercises solved."
