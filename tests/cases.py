"""One row per op of the table: what numpy says it gives, and how its inputs are drawn.

test_forward, test_gradient, test_second_derivative, test_layouts, test_isas, test_aliasing,
test_special_values and test_thread_count run every row; test_cases fails while an op has no row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import images
import losses
import moves
import numbers_drawn as rand
import numpy as np
import products
import references as ref
import updates
import windows
from draws import (
    Call,
    Draw,
    along,
    attr,
    away_from,
    broadcast,
    distinct,
    division,
    grid,
    nonzero,
    one,
    ordered,
    positive,
    probability,
    real,
    reduction,
    same,
    spread,
    thinned,
    truth,
)
from scipy import special as sp


@dataclass(frozen=True)
class Case:
    """What holds for one op.

    `forward` takes the inputs in float64 and the attributes, and returns the outputs, then the
    new values of inputs that the op changes in place. A random op has no forward but `check`,
    which gets the outputs and the call, and asserts what must hold.
    """

    op: str
    forward: Callable[..., Any] | None
    draw: Draw
    check: Callable[[list[np.ndarray], Call], None] | None = None
    wrt: tuple[int, ...] | None = None  # inputs with a gradient; None: the floating ones, () : none
    fixed: tuple[int, ...] = ()  # inputs that keep their dtype when the others become float32
    tolerance: tuple[float, float] = (2e-6, 1e-13)  # float32, float64; relative to the largest
    second: bool = True  # it has a second derivative
    special: bool = True  # NaN and Inf pass as in numpy
    typed: bool = True  # a floating output has the dtype of the inputs


CASES = [
    # arithmetic
    Case("add", np.add, broadcast(real, real)),
    Case("sub", np.subtract, broadcast(real, real)),
    Case("mul", np.multiply, broadcast(real, real)),
    Case("div", np.divide, broadcast(real, nonzero)),
    Case("pow", np.power, broadcast(positive, real), tolerance=(2e-5, 1e-12)),
    Case("floor_divide", np.floor_divide, division, wrt=()),
    Case("remainder", np.remainder, division),
    Case("neg", np.negative, one()),
    Case("abs", np.abs, one(nonzero)),
    Case("sign", np.sign, one(nonzero)),
    Case("floor", np.floor, one(away_from(*range(-6, 7)))),
    Case("round", np.round, one(away_from(*np.arange(-6.5, 7)))),
    Case("reciprocal", np.reciprocal, one(nonzero)),
    Case("minimum", np.minimum, ordered),
    Case("maximum", np.maximum, ordered),
    Case("clip", ref.clip, one(away_from(-1, 1), min=attr(-1, None), max=attr(1, None))),
    Case(
        "clip_backward",
        lambda g, x, min, max: g * (ref.clip(x, min, max) == x),
        same(real, away_from(-1, 1), min=attr(-1, None), max=attr(1, None)),
        special=False,
    ),
    Case("where", np.where, broadcast(truth, real, real)),
    # comparisons
    Case("eq", np.equal, broadcast(grid, grid)),
    Case("ne", np.not_equal, broadcast(grid, grid)),
    Case("lt", np.less, broadcast(grid, grid)),
    Case("le", np.less_equal, broadcast(grid, grid)),
    Case("gt", np.greater, broadcast(grid, grid)),
    Case("ge", np.greater_equal, broadcast(grid, grid)),
    Case("logical_not", np.logical_not, one(grid)),
    Case("logical_and", np.logical_and, broadcast(grid, grid)),
    Case("logical_or", np.logical_or, broadcast(grid, grid)),
    Case("isfinite", np.isfinite, one()),
    Case("isnan", np.isnan, one()),
    # functions
    Case("exp", np.exp, one()),
    Case("expm1", np.expm1, one()),
    Case("log", np.log, one(positive)),
    Case("log1p", np.log1p, one(positive)),
    Case("sqrt", np.sqrt, one(positive)),
    Case("sin", np.sin, one()),
    Case("cos", np.cos, one()),
    Case("erf", sp.erf, one()),
    # activations
    Case("relu", ref.relu, one(nonzero)),
    Case("relu_backward", ref.slope_of_relu, same(real, nonzero), special=False),
    Case(
        "relu_dropout_backward",
        ref.slope_of_relu_dropout,
        broadcast(real, thinned, scale=attr(1.0, 2.0, 1.25)),
        wrt=(0,),
        special=False,
    ),
    Case("leaky_relu", ref.leaky_relu, one(nonzero, negative_slope=attr(0.01, 0.3))),
    Case(
        "leaky_relu_backward",
        lambda g, x, negative_slope: g * np.where(x > 0, 1, negative_slope),
        same(real, nonzero, negative_slope=attr(0.01, 0.3)),
        special=False,
    ),
    Case("sigmoid", sp.expit, one()),
    Case("sigmoid_backward", lambda g, y: g * y * (1 - y), same(real, probability)),
    Case("tanh", np.tanh, one()),
    Case("tanh_backward", lambda g, y: g * (1 - y * y), same(real, probability)),
    Case("gelu", ref.gelu, one(approximate=attr(False, True)), special=False),
    Case(
        "gelu_backward",
        lambda g, x, approximate: g * ref.derivative(lambda t: ref.gelu(t, approximate), x),
        same(real, real, approximate=attr(False, True)),
        tolerance=(2e-6, 1e-9),
        special=False,
    ),
    Case("silu", lambda x: x * sp.expit(x), one(), special=False),
    Case(
        "silu_backward",
        lambda g, x: g * sp.expit(x) * (1 + x * sp.expit(-x)),
        same(real, real),
        special=False,
    ),
    Case("softplus", lambda x: np.logaddexp(0, x), one()),
    Case("softplus_backward", lambda g, x: g * sp.expit(x), same(real, real)),
    Case("elu", ref.elu, one(nonzero, alpha=attr(1.0, 0.5))),
    Case(
        "elu_backward",
        lambda g, x, alpha: g * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),
        same(real, nonzero, alpha=attr(1.0, 0.5)),
        special=False,
    ),
    Case("selu", ref.selu, one(nonzero)),
    Case(
        "selu_backward",
        lambda g, x: g * ref.SELU[0] * np.where(x > 0, 1, ref.SELU[1] * np.exp(np.minimum(x, 0))),
        same(real, nonzero),
        special=False,
    ),
    # reductions
    Case("sum", ref.reduced(np.sum), reduction()),
    Case("mean", ref.reduced(ref.mean), reduction()),
    Case("max", ref.reduced(np.max), reduction(distinct, low=1)),
    Case("min", ref.reduced(np.min), reduction(distinct, low=1)),
    Case("argmax", ref.reduced(np.argmax), along(distinct, low=1, keepdim=attr(False, True))),
    Case("argmin", ref.reduced(np.argmin), along(distinct, low=1, keepdim=attr(False, True))),
    Case("var", ref.var, reduction(low=2, min_rank=1, correction=attr(0, 1)), special=False),
    Case(
        "std", ref.std, reduction(spread, low=3, min_rank=1, correction=attr(0, 1)), special=False
    ),
    Case("logsumexp", ref.logsumexp, reduction(low=1), special=False),
    Case("softmax", lambda x, dim: sp.softmax(x, dim), along(low=1), special=False),
    Case("log_softmax", lambda x, dim: sp.log_softmax(x, dim), along(low=1), special=False),
    Case("softmax_backward", ref.softmax_backward, moves.pair_along, special=False),
    Case("log_softmax_backward", ref.log_softmax_backward, moves.pair_along, special=False),
    # in order along a dimension
    Case("cumsum", lambda x, dim: np.cumsum(x, dim), along()),
    Case("argsort", ref.argsort, along(grid, descending=attr(False, True))),
    # losses
    Case(
        "binary_cross_entropy_with_logits",
        losses.pair(losses.bce),
        losses.draw_pair(target=probability),
    ),
    Case("mse_loss", losses.pair(lambda x, t: (x - t) ** 2), losses.draw_pair()),
    Case("l1_loss", losses.pair(lambda x, t: np.abs(x - t)), losses.draw_pair(losses.KINKS["l1"])),
    Case(
        "huber_loss", losses.pair(losses.huber), losses.draw_pair(losses.KINKS["huber"], delta=0.7)
    ),
    Case("cross_entropy", losses.cross_entropy, losses.draw_cross_entropy(), special=False),
    Case(
        "binary_cross_entropy_with_logits_backward",
        losses.pair_backward(losses.bce_slope),
        losses.draw_pair(target=probability, backward=True),
        special=False,
    ),
    Case(
        "mse_loss_backward",
        losses.pair_backward(lambda x, t: 2 * (x - t)),
        losses.draw_pair(backward=True),
        special=False,
    ),
    Case(
        "l1_loss_backward",
        losses.pair_backward(lambda x, t: np.sign(x - t)),
        losses.draw_pair(losses.KINKS["l1"], backward=True),
        special=False,
    ),
    Case(
        "huber_loss_backward",
        losses.pair_backward(losses.huber_slope),
        losses.draw_pair(losses.KINKS["huber"], backward=True, delta=0.7),
        special=False,
    ),
    Case(
        "cross_entropy_backward",
        losses.cross_entropy_backward,
        losses.draw_cross_entropy(backward=True),
        special=False,
    ),
    # normalisation; the backward rows take the statistics of x as given, so that their gradient
    # for x is only right as a part of the second derivative of the forward row
    Case("batch_norm", losses.batch_norm, losses.draw_batch_norm, wrt=(0, 1, 2), special=False),
    Case(
        "batch_norm_backward",
        losses.batch_norm_backward,
        losses.draw_batch_norm_backward,
        wrt=(0, 2),
        special=False,
    ),
    Case("layer_norm", losses.layer_norm, losses.draw_layer_norm(), special=False),
    Case(
        "layer_norm_backward",
        losses.layer_norm_backward,
        losses.draw_layer_norm(backward=True),
        wrt=(0, 2),
        special=False,
    ),
    # random: properties in the place of a forward
    Case("next_key", lambda state: (state, state + np.array([0, 1])), rand.key_only),
    Case("uniform", None, rand.floats, rand.check_uniform, typed=False),
    Case("normal", None, rand.floats, rand.check_normal, typed=False),
    Case("randint", None, rand.randint, rand.check_randint),
    Case("permutation", None, rand.permutation, rand.check_permutation),
    Case("dropout", None, rand.dropout, rand.check_dropout),
    Case("dropout2d", None, rand.dropout2d, rand.check_dropout2d),
    # optimizers: the new values of what they change in place
    Case("sgd_", updates.sgd, updates.draw_sgd, fixed=(2, 4), special=False, typed=False),
    Case("adam_", updates.adam, updates.draw_adam, fixed=(4, 6), special=False, typed=False),
    Case(
        "rmsprop_", updates.rmsprop, updates.draw_rmsprop, fixed=(3, 6), special=False, typed=False
    ),
    Case("total_norm", updates.total_norm, updates.draw_total_norm, typed=False),
    Case("scale_", lambda x, factor: x * factor, updates.draw_scale, fixed=(1,)),
    Case("lerp_", lambda x, end, w: x + w * (end - x), updates.draw_lerp, fixed=(2,)),
    Case("max_norm_", updates.max_norm, updates.draw_max_norm, special=False),
    # shape
    Case("reshape", lambda x, shape: x.reshape(shape), moves.reshape),
    Case("flatten", ref.flatten, moves.flatten),
    Case("squeeze", ref.squeeze, moves.squeeze),
    Case("unsqueeze", lambda x, dim: np.expand_dims(x, dim), moves.unsqueeze),
    Case("transpose", lambda x, dim0, dim1: x.swapaxes(dim0, dim1), moves.transpose),
    Case("permute", lambda x, dims: x.transpose(dims), moves.permute),
    Case("expand", ref.expand, moves.expand),
    Case("contiguous", np.array, one()),
    Case("clone", np.array, one()),
    Case("detach", np.array, one(), wrt=()),
    Case("cast", ref.cast, one(dtype=attr(0, 1, 2, 3)), wrt=(), special=False, typed=False),
    Case("copy_", lambda x, source: np.broadcast_to(source, x.shape), moves.copy, wrt=()),
    # parts
    Case("slice", ref.slice_box, moves.slice_box),
    Case("slice_backward", ref.slice_box_backward, moves.slice_box_backward),
    Case("take", lambda x, indices, dim: np.take(x, indices, axis=dim), moves.take),
    Case("take_backward", ref.take_backward, moves.take_backward),
    Case("check_indices", lambda indices, size: indices % size, moves.check_indices),
    Case("concatenate", lambda *x, dim: np.concatenate(x, axis=dim), moves.concatenate),
    Case("stack", lambda *x, dim: np.stack(x, axis=dim), moves.stack),
    # products
    Case("matmul", np.matmul, products.matmul),
    Case("linear", ref.linear, products.linear),
    Case(
        "matmul_relu_dropout_backward",
        lambda x, w, y, scale: ref.slope_of_relu_dropout(x @ w, y, scale),
        products.masked_matmul,
        wrt=(0, 1),
        special=False,
    ),
    Case("linear_relu_dropout", products.relu_dropped, products.linear_relu_dropout),
    Case("linear_weight_grad", lambda g, x: (g.T @ x, g.sum(0)), products.linear_weight_grad),
    Case("linear_relu_linear", products.relu_between, products.linear_relu_linear),
    Case("linear_relu_linear_stored", products.both_layers, products.linear_relu_linear),
    Case(
        "linear_relu_linear_grad",
        products.slopes_of_both_layers,
        products.linear_relu_linear_grad,
        wrt=(0, 1, 3),
        special=False,
    ),
    # convolution, pooling, embedding
    Case("conv2d", windows.conv2d, windows.draw_conv2d),
    # Padding is multiplied by the weight, the gaps of the stride are not: NaN spreads otherwise.
    Case(
        "conv2d_input_grad",
        windows.conv2d_input_grad,
        windows.draw_conv2d_input_grad,
        special=False,
    ),
    Case("conv2d_relu", windows.conv2d_relu, windows.draw_conv2d_relu),
    Case(
        "conv2d_input_grad_relu_backward",
        windows.conv2d_input_grad_relu_backward,
        windows.draw_conv2d_input_grad_relu_backward,
        wrt=(0, 1),
        special=False,
    ),
    Case(
        "conv2d_weight_grad",
        windows.conv2d_weight_grad,
        windows.draw_conv2d_weight_grad,
        tolerance=(1e-5, 1e-13),
    ),
    Case("max_pool2d", windows.max_pool2d, windows.draw_pool),
    Case(
        "max_pool2d_pick",
        windows.max_pool2d_pick,
        windows.draw_max_pool2d_pick,
        wrt=(0,),
        special=False,
    ),
    Case(
        "max_pool2d_backward",
        windows.max_pool2d_backward,
        windows.draw_max_pool2d_backward,
        wrt=(0,),
        special=False,
    ),
    Case(
        "max_pool2d_relu_backward",
        windows.max_pool2d_relu_backward,
        windows.draw_max_pool2d_backward,
        wrt=(0,),
        special=False,
    ),
    Case("avg_pool2d", windows.avg_pool2d, windows.draw_pool),
    Case("avg_pool2d_backward", windows.avg_pool2d_backward, windows.draw_avg_pool2d_backward),
    Case("embedding", lambda i, weight: weight[i], windows.embedding(backward=False)),
    Case("embedding_backward", windows.embedding_backward, windows.embedding(backward=True)),
    # augmentation: float64 matrices, factors and weights belong to images of either dtype
    Case(
        "uniform_between",
        None,
        images.uniform_between,
        images.check_uniform_between,
        fixed=(1,),
        typed=False,
    ),
    Case("symmetric_beta", None, images.symmetric_beta, images.check_symmetric_beta, typed=False),
    Case(
        "affine_matrix",
        images.affine_matrix,
        images.draw_affine_matrix,
        fixed=(0, 1),
        tolerance=(1e-11, 1e-11),
        special=False,
        typed=False,
    ),
    Case(
        "resample",
        images.resample,
        images.draw_resample,
        wrt=(0,),
        fixed=(1,),
        tolerance=(2e-5, 1e-12),
        special=False,
    ),
    Case(
        "resample_backward",
        images.resample_backward,
        images.draw_resample_backward,
        wrt=(0,),
        fixed=(1,),
        tolerance=(2e-5, 1e-12),
        special=False,
    ),
    Case(
        "color_jitter",
        images.color_jitter,
        images.draw_color_jitter,
        wrt=(0,),
        fixed=(1,),
        special=False,
    ),
    Case("mix_rows", images.mix_rows, images.draw_mix_rows, wrt=(0,), fixed=(1,), special=False),
    Case(
        "erase_boxes",
        images.erase_boxes,
        images.draw_erase_boxes,
        fixed=(0,),
        special=False,
        typed=False,
    ),
    Case(
        "cut_boxes",
        images.cut_boxes,
        images.draw_cut_boxes,
        fixed=(0, 1),
        special=False,
        typed=False,
    ),
    Case("paste", images.paste, images.draw_paste, fixed=(2,)),
]
