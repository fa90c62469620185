"""The tested equations behind the book "The Mathematics of Neural Networks".

`plot`, `explore` and `quiz` load on first use, with Matplotlib and the widgets.
"""
# ruff: noqa: I001
# fmt: off

from importlib import import_module

from .activations import gelu, gelu_backward, leaky_relu, leaky_relu_backward
from .activations import relu, relu_backward, sigmoid, sigmoid_backward
from .activations import softmax, softmax_backward, tanh, tanh_backward
from .attention import Block, attention, attention_backward, self_attention, self_attention_backward
from .convergence import best_momentum, best_rate, condition_number, contraction, hessian
from .data import digits, moons, spirals, xor
from .errors import DivergenceError, ShapeError
from .gradcheck import GradCheck, central_difference, gradcheck, projected_difference
from .layers import dense, dense_backward, dropout, dropout_backward, layer_norm, layer_norm_backward
from .losses import accuracy, binary_cross_entropy, confusion_matrix, cross_entropy, mse
from .mlp import MLP, he, xavier
from .optim import SGD, Adam, Clip, Momentum, Nesterov
from .params import Params
from .recurrent import Recurrent, lstm, lstm_backward, rnn, rnn_backward
from .schedules import cosine, inverse_time, step_decay, warmup
from .train import History, fit, train

__version__ = "0.1.0"
__all__ = [
    "MLP", "SGD", "Adam", "Block", "Clip", "DivergenceError", "GradCheck", "History", "Momentum", "Nesterov",
    "Params", "Recurrent", "ShapeError", "accuracy", "attention", "attention_backward", "best_momentum",
    "best_rate", "binary_cross_entropy", "central_difference", "condition_number", "confusion_matrix",
    "contraction", "cosine", "cross_entropy", "dense", "dense_backward", "digits", "dropout",
    "dropout_backward", "fit", "gelu", "gelu_backward", "gradcheck", "he", "hessian", "inverse_time",
    "layer_norm", "layer_norm_backward", "leaky_relu", "leaky_relu_backward", "lstm", "lstm_backward",
    "moons", "mse", "projected_difference", "relu", "relu_backward", "rnn", "rnn_backward", "self_attention",
    "self_attention_backward", "sigmoid", "sigmoid_backward", "softmax", "softmax_backward", "spirals",
    "step_decay", "tanh", "tanh_backward", "train", "warmup", "xavier", "xor",
]


def __getattr__(name):
    if name in ("explore", "plot", "quiz"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
