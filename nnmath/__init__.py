"""The tested equations behind the book "The Mathematics of Neural Networks".

`plot`, `explore` and `quiz` load on first use, with Matplotlib and the widgets.
"""
# ruff: noqa: I001
# fmt: off

from importlib import import_module

from .activations import gelu, gelu_backward, leaky_relu, leaky_relu_backward
from .activations import relu, relu_backward, sigmoid, sigmoid_backward
from .activations import softmax, softmax_backward, tanh, tanh_backward
from .attack import fgsm, interval_bounds, pgd, project
from .attention import Block, attention, attention_backward, self_attention, self_attention_backward
from .convergence import best_momentum, best_rate, condition_number, contraction, hessian
from .data import diabetes, digits, moons, spirals, xor
from .errors import DivergenceError, ShapeError
from .explain import integrated_gradients, occlusion, saliency, shapley, shapley_sample, smooth_grad
from .gradcheck import GradCheck, central_difference, gradcheck, projected_difference
from .layers import dense, dense_backward, dropout, dropout_backward, layer_norm, layer_norm_backward
from .losses import accuracy, binary_cross_entropy, confusion_matrix, cross_entropy, margin, mse
from .mlp import MLP, he, xavier
from .optim import SGD, AdaGrad, Adam, AdamW, Clip, Momentum, Nesterov, RMSProp
from .parallel import DataParallel, connect, ring_all_reduce, shard_mean
from .params import Params
from .quantize import dequantize, fake_quantize, fake_quantize_backward, integer_dense
from .quantize import quantize, scale_zero, symmetric_scale
from .recurrent import Recurrent, lstm, lstm_backward, rnn, rnn_backward
from .schedules import cosine, inverse_time, step_decay, warmup
from .search import Trials, grid, log_uniform, sample, search, successive_halving, uniform
from .train import History, fit, train

__version__ = "0.1.0"
__all__ = [
    "MLP", "SGD", "AdaGrad", "Adam", "AdamW", "Block", "Clip", "DataParallel", "DivergenceError",
    "GradCheck", "History", "Momentum", "Nesterov", "Params", "RMSProp", "Recurrent", "ShapeError", "Trials",
    "accuracy", "attention", "attention_backward", "best_momentum", "best_rate", "binary_cross_entropy",
    "central_difference", "condition_number", "confusion_matrix", "connect", "contraction", "cosine",
    "cross_entropy", "dense", "dense_backward", "dequantize", "diabetes", "digits", "dropout",
    "dropout_backward", "fake_quantize", "fake_quantize_backward", "fgsm", "fit", "gelu", "gelu_backward",
    "gradcheck", "grid", "he", "hessian", "integer_dense", "integrated_gradients", "interval_bounds",
    "inverse_time", "layer_norm", "layer_norm_backward", "leaky_relu", "leaky_relu_backward", "log_uniform",
    "lstm", "lstm_backward", "margin", "moons", "mse", "occlusion", "pgd", "project", "projected_difference",
    "quantize", "relu", "relu_backward", "ring_all_reduce", "rnn", "rnn_backward", "saliency", "sample",
    "scale_zero", "search", "self_attention", "self_attention_backward", "shapley", "shapley_sample",
    "shard_mean", "sigmoid", "sigmoid_backward", "smooth_grad", "softmax", "softmax_backward", "spirals",
    "step_decay", "successive_halving", "symmetric_scale", "tanh", "tanh_backward", "train", "uniform",
    "warmup", "xavier", "xor",
]


def __getattr__(name):
    if name in ("explore", "plot", "quiz"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
