"""Runs PyTorch's side of the bench, torch.nn.LSTM and torch.nn.GRU on cuDNN; no other file here imports PyTorch.

The LSTM gets impl_gpu's weights and so computes the same network, which is checked. The GRU cannot: TensorFlow's
resets the state before the candidate's product, cuDNN's after it. Ragged batches are packed and padded again within
the time, as impl_gpu sorts and writes back within its own.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cupy
import numpy as np
import torch

from .networks import Inputs
from .points import Point
from .training.network import Cotangents

NAMES = {"LSTM": "torch.nn.LSTM", "GRU": "torch.nn.GRU"}
SAME_NETWORK = {"LSTM": True, "GRU": False}
FORGET_BIAS = 1.0  # PyTorch has none of its own: it is part of the bias there


def available() -> str | None:
    """Why there is no rival here; None if there is one."""
    return None if torch.cuda.is_available() else "this PyTorch sees no CUDA device"


def versions() -> dict[str, str]:
    """The versions of PyTorch and of the cuDNN that it calls."""
    return {"torch": str(torch.__version__), "cudnn": str(torch.backends.cudnn.version())}


class Rival:
    """One module on the device."""

    def __init__(self, point: Point, weights: Mapping[str, np.ndarray[Any, Any]], inputs: Inputs) -> None:
        make = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[point.cell]
        self._module = make(point.shape.H, point.shape.H, device="cuda", dtype=getattr(torch, point.dtype)).eval()
        if SAME_NETWORK[point.cell]:
            self._load(weights)
        self._module.flatten_parameters()
        self._sets = [torch.from_dlpack(x) for x in inputs.sets]
        self._next = 0

    def _load(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Kernel [2H, 4H] and bias [4H], gates i j f o, into PyTorch's order i f j o."""
        kernel, bias = weights["kernel"].astype("float32"), weights["bias"].astype("float32")
        i, j, f, o = np.split(np.concatenate([kernel, bias[None]]), 4, axis=1)
        f[-1] += FORGET_BIAS
        ordered = np.concatenate([i, f, j, o], axis=1)
        H = kernel.shape[1] // 4
        with torch.no_grad():
            for name, value in {
                "weight_ih_l0": ordered[:H].T,
                "weight_hh_l0": ordered[H:-1].T,
                "bias_ih_l0": ordered[-1],
                "bias_hh_l0": np.zeros(4 * H, "float32"),
            }.items():
                getattr(self._module, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))

    def run(self, x: Any, lengths: list[int] | None) -> dict[str, Any]:
        """Outputs [T, B, H] and final states [B, H] of x [T, B, H], by the oracle's names."""
        if lengths is None:
            outputs, state = self._module(x)
        else:
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
            outputs, state = self._module(packed)
            outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, total_length=x.shape[0])
        h, c = state if isinstance(state, tuple) else (state, None)
        return {"outputs": outputs, "h": h[0], **({} if c is None else {"c": c[0]})}

    def first(self, lengths: list[int] | None, tf32: bool) -> dict[str, Any]:
        """The results for the first set of inputs, as CuPy arrays over PyTorch's memory."""
        with precision(tf32):
            return {name: cupy.from_dlpack(value) for name, value in self.run(self._sets[0], lengths).items()}

    def work(self, lengths: list[int] | None, tf32: bool) -> Callable[[], Any]:
        """What is timed: one call with the next inputs."""

        def call() -> Any:
            self._next += 1
            with precision(tf32):
                return self.run(self._sets[self._next % len(self._sets)], lengths)

        return call


class TrainedRival(Rival):
    """One module whose gradients are asked for: those of the inputs and of all its weights."""

    def __init__(
        self, point: Point, weights: Mapping[str, np.ndarray[Any, Any]], inputs: Inputs, cotangents: Cotangents
    ) -> None:
        super().__init__(point, weights, inputs)
        self._module.train()
        self._sets = [x.requires_grad_() for x in self._sets]
        given = {"outputs": cotangents.outputs, **cotangents.state}
        self._cotangents = {name: torch.from_dlpack(value) for name, value in given.items()}

    def pull(self, x: Any, lengths: list[int] | None) -> tuple[Any, ...]:
        """The gradients of x and of the parameters, in the module's order."""
        results = self.run(x, lengths)
        given = [self._cotangents[name] for name in results]
        wanted = [x, *self._module.parameters()]
        found: tuple[Any, ...] = torch.autograd.grad(list(results.values()), wanted, grad_outputs=given)
        return found

    def first_gradients(self, lengths: list[int] | None, tf32: bool) -> tuple[dict[str, Any], int]:
        """The gradients for the first set of inputs by the oracle's names, and the most memory that they took.

        Of a GRU, which is another network, those of the inputs alone.
        """
        with precision(tf32, inference=False):
            self.pull(self._sets[0], lengths)  # what cuDNN makes once is no part of it
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            d_x, d_ih, d_hh, d_bias, _ = self.pull(self._sets[0], lengths)
            torch.cuda.synchronize()
            peak = torch.cuda.max_memory_allocated() - before
        found = {"inputs": d_x}
        if d_bias.shape[0] == 4 * d_x.shape[-1]:
            found |= {"kernel": _in_order_of_tensorflow(torch.cat([d_ih.T, d_hh.T]))}
            found |= {"bias": _in_order_of_tensorflow(d_bias)}
        return {name: cupy.from_dlpack(value.contiguous()) for name, value in found.items()}, peak

    def work(self, lengths: list[int] | None, tf32: bool) -> Callable[[], Any]:
        """What is timed: one forward and one backward pass with the next inputs."""

        def call() -> Any:
            self._next += 1
            with precision(tf32, inference=False):
                return self.pull(self._sets[self._next % len(self._sets)], lengths)

        return call


def _in_order_of_tensorflow(gates: Any) -> Any:
    """An LSTM's gates i f j o along the last dimension as i j f o."""
    i, f, j, o = gates.chunk(4, dim=-1)
    return torch.cat([i, j, f, o], dim=-1)


@contextlib.contextmanager
def precision(tf32: bool, inference: bool = True) -> Iterator[None]:
    """cuDNN's RNNs in TF32 or strict float32, and inference or not; PyTorch's own default is TF32."""
    rnn = getattr(torch.backends.cudnn, "rnn", None)
    switch, name, value = (
        (torch.backends.cudnn, "allow_tf32", tf32)
        if rnn is None or not hasattr(rnn, "fp32_precision")
        else (rnn, "fp32_precision", "tf32" if tf32 else "ieee")
    )
    before = getattr(switch, name)
    setattr(switch, name, value)
    try:
        with torch.inference_mode(inference):
            yield
    finally:
        setattr(switch, name, before)
