"""Trains an LSTM to tell handwritten digits apart, which it reads column by column: a training run from end to end.

    python docs/examples/digits.py                      # seconds on a CPU; needs scikit-learn
    python docs/examples/digits.py --plot digits.svg    # and matplotlib

The images are scikit-learn's: 1797 digits of 8 x 8 pixels. Each is a sequence of its columns from the first to the last
one with dark ink, so a 1 is shorter than a 0: lengths are 2 to 7. To train on a GPU, import impl_gpu instead of
impl_ref below; nothing else changes.
"""

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits

import impl_ref as rnn
from dynamic_rnn_spec import Variable, VariableStore, array_module, use_store
from dynamic_rnn_spec.initializers import Zeros

CLASSES = 10
UNITS = 48
BATCH = 64
LEARNING_RATE = 0.005
HELD_OUT = 360
INK = 0.5  # white is 0, black is 1; what is fainter at the margins is left out


class Epoch(NamedTuple):
    """What one pass over the digits came to."""

    loss: float
    """Mean over the digits trained on, each as it was before its batch moved the weights."""
    held_out_loss: float
    accuracy: float
    """On the digits held out."""


def load() -> tuple[Any, Any, Any]:
    """Images as sequences [N, 8, 8] float32 (time is the column), their lengths [N] int32 and digits [N], shuffled."""
    digits = load_digits()
    images = digits.images.astype(np.float32) / 16  # [N, row, column]
    sequences, lengths = np.zeros_like(images), np.zeros(len(images), np.int32)
    for index, image in enumerate(images):
        dark = np.flatnonzero((image >= INK).any(axis=0))
        columns = image[:, dark[0] : dark[-1] + 1].T
        sequences[index, : len(columns)], lengths[index] = columns, len(columns)
    order = np.random.default_rng(0).permutation(len(images))
    return sequences[order], lengths[order], digits.target[order]


def cross_entropy(logits: Any, digits: Any) -> tuple[Any, Any]:
    """The loss of each row of ``logits`` [B, 10], [B], and the gradient of their mean with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(digits))
    losses = -np.log(p[rows, digits])
    p[rows, digits] -= 1
    return losses, p / len(digits)


class Adam:
    """The optimiser of Kingma and Ba (2015), for variables by name."""

    def __init__(self, variables: dict[str, Variable]) -> None:
        self.variables = variables
        self.steps = 0
        self.means: dict[str, Any] = {name: np.zeros_like(v.value) for name, v in variables.items()}
        self.squares: dict[str, Any] = {name: np.zeros_like(v.value) for name, v in variables.items()}

    def step(self, gradients: dict[str, Any]) -> None:
        """Move every variable against its gradient."""
        self.steps += 1
        rate = LEARNING_RATE * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, gradient in gradients.items():
            mean = self.means[name] = 0.9 * self.means[name] + 0.1 * gradient
            square = self.squares[name] = 0.999 * self.squares[name] + 0.001 * gradient**2
            change = rate * mean / (np.sqrt(square) + 1e-8)
            self.variables[name].assign(self.variables[name].value - change.astype(gradient.dtype))


def to_numpy(array: Any) -> Any:
    """An array of either implementation, on the host."""
    return array if isinstance(array, np.ndarray) else array.get()


class Reader:
    """An LSTM over the columns, and a softmax layer on its last state h."""

    def __init__(self, sequences: Any) -> None:
        self.cell = rnn.LSTMCell(UNITS)
        rnn.dynamic_rnn(self.cell, sequences[:1], dtype="float32")  # the first call makes the cell's variables
        self.kernel = rnn.get_variable("softmax/kernel", [UNITS, CLASSES])
        self.bias = rnn.get_variable("softmax/bias", [CLASSES], initializer=Zeros())

    def losses(self, sequences: Any, lengths: Any, digits: Any) -> tuple[Any, Any]:
        """The loss of each sequence, and which digits were told right."""
        _, state = rnn.dynamic_rnn(self.cell, sequences, sequence_length=lengths, dtype="float32")
        logits = to_numpy(state.h) @ self.kernel.value + self.bias.value
        return cross_entropy(logits, digits)[0], logits.argmax(axis=1) == digits

    def losses_and_gradients(self, sequences: Any, lengths: Any, digits: Any) -> tuple[Any, dict[str, Any]]:
        """The loss of each sequence, and the gradients of their mean by the name of the variable."""
        (_, state), vjp = rnn.dynamic_rnn_vjp(self.cell, sequences, sequence_length=lengths, dtype="float32")
        h = to_numpy(state.h)
        losses, d_logits = cross_entropy(h @ self.kernel.value + self.bias.value, digits)
        d_h = array_module(state.h).asarray(d_logits @ self.kernel.value.T)
        # The loss is made of the last h alone: no gradient comes from the outputs, none from c.
        gradients = vjp(None, rnn.LSTMStateTuple(None, d_h))
        return losses, {
            **{name: to_numpy(gradient) for name, gradient in gradients.variables.items()},
            self.kernel.name: h.T @ d_logits,
            self.bias.name: d_logits.sum(axis=0),
        }


def train(epochs: int, examples: int | None = None) -> list[Epoch]:
    """Train on ``examples`` digits (None: all but those held out), and print the progress."""
    sequences, lengths, digits = load()
    held_out = slice(0, HELD_OUT)
    trained = np.arange(HELD_OUT, len(digits))[:examples]
    dice = np.random.default_rng(1)
    print("columns: digits   ", {k: int((lengths == k).sum()) for k in sorted(set(lengths.tolist()))})
    started, done = time.perf_counter(), []
    with use_store(VariableStore(seed=0)) as store:
        reader = Reader(sequences)
        adam = Adam(dict(store.variables))
        for number in range(1, epochs + 1):
            dice.shuffle(trained)
            sum_of_losses = 0.0
            for start in range(0, len(trained), BATCH):
                rows = trained[start : start + BATCH]
                losses, gradients = reader.losses_and_gradients(sequences[rows], lengths[rows], digits[rows])
                adam.step(gradients)
                sum_of_losses += float(losses.sum())
            losses, right = reader.losses(sequences[held_out], lengths[held_out], digits[held_out])
            epoch = Epoch(sum_of_losses / len(trained), float(losses.mean()), float(right.mean()))
            done.append(epoch)
            seconds = time.perf_counter() - started
            print(
                f"epoch {number:2}   loss {epoch.loss:.3f}   held out: loss {epoch.held_out_loss:.3f}, "
                f"{epoch.accuracy:.1%} right   {seconds:.1f} s",
                flush=True,
            )
    return done


def plot(epochs: list[Epoch], path: Path) -> None:
    """The loss by epoch, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "digits"})  # small, and the same each time
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    numbers = range(1, len(epochs) + 1)
    axes.plot(numbers, [epoch.loss for epoch in epochs], label="trained on")
    axes.plot(numbers, [epoch.held_out_loss for epoch in epochs], label="held out")
    axes.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train an LSTM to tell handwritten digits apart.")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--examples", type=int, help="digits to train on (all but the 360 held out)")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="where to put a picture of the loss")
    arguments = parser.parse_args()
    trained = train(arguments.epochs, arguments.examples)
    if arguments.plot:
        plot(trained, arguments.plot)
