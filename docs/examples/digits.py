"""Handwritten digits, read column by column and told apart: a training run from end to end; it knows no cell's equations.

    python docs/examples/digits.py                    # about half a minute on a CPU; needs scikit-learn
    python docs/examples/digits.py --plot loss.svg    # and matplotlib

The images are scikit-learn's: 1797 digits of 8 x 8 pixels. Each is a sequence of its columns from the first to the last
one with ink, so a 1 is shorter than a 0, and the lengths differ. To train on a GPU, import impl_gpu instead of impl_ref
below; nothing else changes.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import impl_ref as rnn
from dynamic_rnn_spec import Variable, VariableStore, array_module, use_store

PIXELS = 8
CLASSES = 10
UNITS = 48
BATCH = 64
LEARNING_RATE = 0.005
HELD_OUT = 360


def load() -> tuple[Any, Any, Any]:
    """Images as sequences [N, 8, 8] float32 (time is the column), their lengths [N] int32 and digits [N], shuffled."""
    digits = load_digits()
    images = digits.images.astype(np.float32) / 16  # [N, row, column]
    sequences, lengths = np.zeros_like(images), np.zeros(len(images), np.int32)
    for index, image in enumerate(images):
        inked = np.flatnonzero(image.any(axis=0))
        columns = image[:, inked[0] : inked[-1] + 1].T
        sequences[index, : len(columns)], lengths[index] = columns, len(columns)
    order = np.random.default_rng(0).permutation(len(images))
    return sequences[order], lengths[order], digits.target[order]


def softmax_loss(logits: Any, digits: Any) -> tuple[float, Any, int]:
    """Mean cross-entropy, its gradient with respect to ``logits`` [B, 10], and how many digits are told right."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(digits))
    loss = -float(np.mean(np.log(p[rows, digits])))
    d_logits = p.copy()
    d_logits[rows, digits] -= 1
    return loss, d_logits / len(digits), int((p.argmax(axis=1) == digits).sum())


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
        for name, gradient in gradients.items():
            mean = self.means[name] = 0.9 * self.means[name] + 0.1 * gradient
            square = self.squares[name] = 0.999 * self.squares[name] + 0.001 * gradient**2
            scale = np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
            change = LEARNING_RATE * scale * mean / (np.sqrt(square) + 1e-8)
            self.variables[name].assign(self.variables[name].value - change.astype(gradient.dtype))


def to_numpy(array: Any) -> Any:
    """An array of either implementation on the host."""
    return array if isinstance(array, np.ndarray) else array.get()


def forward(cell: Any, sequences: Any, lengths: Any) -> Any:
    """The state of the last column that counts, h [B, units], and what pulls its gradient back."""
    (_, state), vjp = rnn.dynamic_rnn_vjp(cell, sequences, sequence_length=lengths, dtype="float32")
    return state, vjp


def train(epochs: int, examples: int | None = None) -> dict[str, Any]:
    """Train, print the progress, and give the loss of every batch and the accuracy on digits that were held out."""
    sequences, lengths, digits = load()
    held_out = slice(0, HELD_OUT)
    trained = np.arange(HELD_OUT, len(digits) if examples is None else HELD_OUT + examples)
    dice = np.random.default_rng(1)
    started, losses, accuracy = time.perf_counter(), [], 0.0
    with use_store(VariableStore(seed=0)) as store:
        cell = rnn.LSTMCell(UNITS)
        rnn.dynamic_rnn(cell, sequences[:1], dtype="float32")  # makes the cell's variables
        kernel = rnn.get_variable("softmax/kernel", [UNITS, CLASSES])
        bias = rnn.get_variable("softmax/bias", [CLASSES])
        adam = Adam(dict(store.variables))
        for epoch in range(1, epochs + 1):
            dice.shuffle(trained)
            for start in range(0, len(trained), BATCH):
                rows = trained[start : start + BATCH]
                state, vjp = forward(cell, sequences[rows], lengths[rows])
                h = to_numpy(state.h)
                loss, d_logits, _ = softmax_loss(h @ kernel.value + bias.value, digits[rows])
                d_h = array_module(state.h).asarray(d_logits @ kernel.value.T)
                gradients = vjp(None, rnn.LSTMStateTuple(None, d_h))
                adam.step(
                    {
                        "softmax/kernel": h.T @ d_logits,
                        "softmax/bias": d_logits.sum(axis=0),
                        **{name: to_numpy(gradient) for name, gradient in gradients.variables.items()},
                    }
                )
                losses.append(loss)
            _, state = rnn.dynamic_rnn(cell, sequences[held_out], sequence_length=lengths[held_out], dtype="float32")
            logits = to_numpy(state.h) @ kernel.value + bias.value
            _, _, right = softmax_loss(logits, digits[held_out])
            accuracy = right / HELD_OUT
            seconds = time.perf_counter() - started
            print(f"epoch {epoch:2}  loss {losses[-1]:.3f}  held out {accuracy:.1%}  {seconds:.1f} s", flush=True)
    return {"losses": losses, "accuracy": accuracy, "lengths": np.bincount(lengths).tolist()}


def plot(losses: list[float], path: Path) -> None:
    """The loss of every batch, and its mean over neighbours, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "digits"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    axes.plot(losses, linewidth=0.5, alpha=0.5, label="batch")
    axes.plot(np.convolve(losses, np.ones(20) / 20, "valid"), label="mean of 20 batches")
    axes.set(xlabel="batch of 64 digits", ylabel="cross-entropy", yscale="log")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train an LSTM to tell handwritten digits apart.")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--examples", type=int, help="digits to train on (default: all but those held out)")
    parser.add_argument("--plot", type=Path, help="where to put a picture of the loss")
    arguments = parser.parse_args()
    result = train(arguments.epochs, arguments.examples)
    print("columns with ink, and how many digits have so many:", dict(enumerate(result["lengths"])))
    if arguments.plot:
        plot(result["losses"], arguments.plot)
