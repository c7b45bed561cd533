"""Convolutions, pooling and padding layers: (N, C, *sizes), or without N."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import CannotTell, Op, flag, size_item, tensor
from lstm_lint.ops.extents import ceil_division, window_count
from lstm_lint.ops.layers import Config, LayerOp, LayerRow, kept
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Int, NoneValue, Str, Tensor, Tuple, Value

ZERO_VALUE, ONE_VALUE = Int(Dim.of(0)), Int(Dim.of(1))


def per_axis(call: Call, value: Value, axes: int, name: str) -> list[Dim]:
    """One number for all axes, or one each. Raises CannotTell and ShapeError."""
    if isinstance(value, Tuple):
        if len(value.items) not in (1, axes):
            raise ShapeError(f"{name} must be one int or {axes}")
        items = value.items * axes if len(value.items) == 1 else value.items
        return [size_item(call, item, name) for item in items]
    return [size_item(call, value, name)] * axes


def _input(call: Call, axes: int) -> Tensor:
    source = tensor(call)
    if source.shape.rank is not None and source.shape.rank not in (axes + 1, axes + 2):
        raise ShapeError(f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input, got {source.shape.rank}D")
    return source


def _with_sizes(call: Call, source: Tensor, channels: Dim | None, sizes: list[Dim]) -> Tensor:
    """The input with other channels and sizes at the end."""
    shape = source.shape
    if channels is not None:
        shape = shape.replaced(-len(sizes) - 1, channels)
    for position, size in enumerate(reversed(sizes)):
        shape = shape.replaced(-1 - position, size)
    return kept(call, source, shape)


def _sizes(shape: Shape, axes: int) -> list[Dim]:
    return [shape.dim(position - axes) for position in range(axes)]


def _check_channels(source: Tensor, axes: int, wanted: Dim) -> None:
    channels = source.shape.dim(-axes - 1)
    if channels.constant is not None and wanted.constant is not None and channels != wanted:
        raise ShapeError(f"expected input to have {wanted.text} channels, but got {channels.text} channels instead")


def convolved(call: Call, source: Tensor, axes: int, out: Dim, kernel: list[Dim], options: Config) -> Tensor:
    """The output of a convolution; `options` holds stride, padding and dilation."""
    stride = per_axis(call, options["stride"], axes, "stride")
    dilation = per_axis(call, options["dilation"], axes, "dilation")
    sizes = _sizes(source.shape, axes)
    match options["padding"]:
        case Str("same"):
            if any(s.constant not in (None, 1) for s in stride):
                raise ShapeError("padding='same' is not supported for strided convolutions")
            return _with_sizes(call, source, out, sizes)
        case Str("valid"):
            padding = [Dim.of(0)] * axes
        case value:
            padding = per_axis(call, value, axes, "padding")
    if any(p.constant is not None and p.constant < 0 for p in padding):
        raise ShapeError("negative padding is not supported")
    windows = [window_count(*each) for each in zip(sizes, kernel, stride, padding, dilation, strict=True)]
    return _with_sizes(call, source, out, windows)


def convolution(axes: int) -> LayerOp:
    """(N, in_channels, *) -> (N, out_channels, *)."""

    def forward(config: Config, call: Call) -> Value:
        source = _input(call, axes)
        _check_channels(source, axes, size_item(call, config["in_channels"], "in_channels"))
        kernel = per_axis(call, config["kernel_size"], axes, "kernel_size")
        return convolved(call, source, axes, size_item(call, config["out_channels"], "out_channels"), kernel, config)

    return forward


def transposed(axes: int) -> LayerOp:
    """(N, in_channels, *) -> (N, out_channels, (size - 1)*stride - 2*padding + dilation*(kernel - 1) + output_padding + 1)."""

    def forward(config: Config, call: Call) -> Value:
        source = _input(call, axes)
        if len(call.positional) > 1 or "output_size" in call.keywords:
            raise CannotTell("output_size is given")
        _check_channels(source, axes, size_item(call, config["in_channels"], "in_channels"))
        names = ("kernel_size", "stride", "padding", "output_padding", "dilation")
        columns = [per_axis(call, config[name], axes, name) for name in names]
        grown = [
            (size - 1) * stride - padding * 2 + dilation * (kernel - 1) + extra + 1
            for size, kernel, stride, padding, extra, dilation in zip(_sizes(source.shape, axes), *columns, strict=True)
        ]
        if any(size.constant is not None and size.constant < 0 for size in grown):
            raise ShapeError("the output size is too small")
        if any(size.constant == 0 for size in grown):
            raise CannotTell("an output size of 0")
        return _with_sizes(call, source, size_item(call, config["out_channels"], "out_channels"), grown)

    return forward


def pool(axes: int) -> LayerOp:
    """(N, C, *) -> (N, C, *): windows of kernel_size, a stride of kernel_size unless told otherwise."""

    def forward(config: Config, call: Call) -> Value:
        source = _input(call, axes)
        if flag(config.get("return_indices"), False):
            output = _pooled(call, source, axes, config)
            return Tuple((output, replace(output, dtype="int64")))
        return _pooled(call, source, axes, config)

    return forward


def _pooled(call: Call, source: Tensor, axes: int, config: Config) -> Tensor:
    kernel = per_axis(call, config["kernel_size"], axes, "kernel_size")
    stride = config.get("stride")
    steps = kernel if stride is None or isinstance(stride, NoneValue) else per_axis(call, stride, axes, "stride")
    padding = per_axis(call, config.get("padding", ZERO_VALUE), axes, "padding")
    dilation = per_axis(call, config.get("dilation", ONE_VALUE), axes, "dilation")
    for k, p in zip(kernel, padding, strict=True):
        if k.constant is not None and p.constant is not None and p.constant * 2 > k.constant:
            raise ShapeError("pad should be at most half of effective kernel size")
    rounded_up = flag(config.get("ceil_mode"), False)
    columns = zip(_sizes(source.shape, axes), kernel, steps, padding, dilation, strict=True)
    windows = [_rounded_up(call, i, *each) if rounded_up else window_count(*each) for i, each in enumerate(columns)]
    return _with_sizes(call, source, None, windows)


def _rounded_up(call: Call, part: int, size: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
    """The window count with ceil_mode: known for constants only."""
    span = size + padding * 2 - dilation * (kernel - 1) - 1
    if span.constant is None or not stride.constant or size.constant is None or padding.constant is None:
        return call.fresh_dim("windows", part)
    count = (ceil_division(span, stride.constant).constant or 0) + 1
    if (count - 1) * stride.constant >= size.constant + padding.constant:  # the last window must begin inside
        count -= 1
    if count < 1:
        raise ShapeError("Output size is too small")
    return Dim.of(count)


def adaptive(axes: int) -> LayerOp:
    """(N, C, *) -> (N, C, *output_size); None keeps a size."""

    def forward(config: Config, call: Call) -> Value:
        source = _input(call, axes)
        asked = config["output_size"]
        items = asked.items if isinstance(asked, Tuple) else (asked,) * axes
        if len(items) == 1:
            items = items * axes
        old = _sizes(source.shape, axes)
        if len(items) != axes:
            raise ShapeError(f"output_size must be one int or {axes}")
        if axes == 1 and any(isinstance(item, NoneValue) for item in items):
            raise ShapeError("output_size must be an int")
        sizes = [
            before if isinstance(item, NoneValue) else size_item(call, item) for item, before in zip(items, old, strict=True)
        ]
        output = _with_sizes(call, source, None, sizes)
        return Tuple((output, replace(output, dtype="int64"))) if flag(config.get("return_indices"), False) else output

    return forward


def padded(axes: int) -> LayerOp:
    """Pads (left, right, top, bottom), or one number for all."""

    def forward(config: Config, call: Call) -> Value:
        source = tensor(call)
        value = config["padding"]
        amounts = per_axis(call, value, 2 * axes, "padding")
        if source.shape.rank is not None and source.shape.rank < axes:
            raise ShapeError("Padding length too large")
        sizes = [size + amounts[2 * i] + amounts[2 * i + 1] for i, size in enumerate(reversed(_sizes(source.shape, axes)))]
        if any(size.constant is not None and size.constant < 0 for size in sizes):
            raise ShapeError("padding makes a size negative")
        return _with_sizes(call, source, None, sizes[::-1])

    return forward


def mirrored(axes: int) -> LayerOp:
    """Reflection and replication: (N, C, *) or (C, *), padded by less than the size for a reflection."""
    inner = padded(axes)

    def forward(config: Config, call: Call) -> Value:
        source = _input(call, axes)
        amounts = per_axis(call, config["padding"], 2 * axes, "padding")
        if len(amounts) == 2 and call.name.endswith("ReflectionPad1d"):
            size = source.shape.dim(-1).constant
            if size is not None and any(a.constant is not None and a.constant >= size for a in amounts):
                raise ShapeError("Padding size should be less than the corresponding input dimension")
        return inner(config, call)

    return forward


def upsampled(config: Config, call: Call) -> Value:
    """Upsample: its sizes are not followed."""
    tensor(call)
    raise CannotTell("the sizes after Upsample are not followed")


# -- functions -------------------------------------------------------------------------------------------------------
def f_convolution(call: Call) -> Value:
    """``F.conv1d(x, weight, bias, stride, padding, dilation, groups)``."""
    axes = int(call.name[-2])
    source, weight = _input(call, axes), tensor(call, 1, "weight")
    shape = weight.shape.with_rank(axes + 2)
    if shape is None:
        raise ShapeError(f"a convolution wants a weight of {axes + 2} axes")
    groups = size_item(call, call.argument(6, "groups", ONE_VALUE) or ONE_VALUE, "groups")
    _check_channels(source, axes, shape.front[1] * groups)
    defaults = (("stride", ONE_VALUE), ("padding", ZERO_VALUE), ("dilation", ONE_VALUE))
    options = {name: call.argument(3 + i, name, default) or default for i, (name, default) in enumerate(defaults)}
    return convolved(call, source, axes, shape.front[0], list(shape.front[2:]), options)


def f_pool(call: Call) -> Value:
    """``F.max_pool1d(x, kernel_size, stride, padding, dilation)``, ``F.avg_pool1d(x, kernel_size, stride, padding)``."""
    axes = int(call.name[-2])
    is_max = "max" in call.name
    names = ["kernel_size", "stride", "padding", *(["dilation"] if is_max else []), "ceil_mode"]
    config = {name: value for i, name in enumerate(names) if (value := call.argument(i + 1, name)) is not None}
    if "kernel_size" not in config:
        raise ShapeError("missing the argument kernel_size")
    config |= {name: call.keywords[name] for name in ("return_indices",) if name in call.keywords}
    return pool(axes)(config, call)


def f_adaptive(call: Call) -> Value:
    """``F.adaptive_avg_pool1d(x, output_size)``."""
    size = call.argument(1, "output_size")
    if size is None:
        raise ShapeError("missing the argument output_size")
    return adaptive(int(call.name[-2]))({"output_size": size}, call)


def interpolated(call: Call) -> Value:
    """``F.interpolate``: its sizes are not followed."""
    tensor(call)
    raise CannotTell("the sizes after interpolate are not followed")


LAYER_ROWS: dict[str, LayerRow] = {
    "torch.nn.Conv1d": LayerRow(
        "in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
        convolution(1),
    ),
    "torch.nn.Conv2d": LayerRow(
        "in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
        convolution(2),
    ),
    "torch.nn.Conv3d": LayerRow(
        "in_channels, out_channels, kernel_size, stride=1, padding=0, "
        "dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
        convolution(3),
    ),
    "torch.nn.ConvTranspose1d": LayerRow(
        "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
        "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None",
        transposed(1),
    ),
    "torch.nn.ConvTranspose2d": LayerRow(
        "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
        "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None",
        transposed(2),
    ),
    "torch.nn.MaxPool1d": LayerRow(
        "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False",
        pool(1),
    ),
    "torch.nn.MaxPool2d": LayerRow(
        "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False",
        pool(2),
    ),
    "torch.nn.AvgPool1d": LayerRow("kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True", pool(1)),
    "torch.nn.AvgPool2d": LayerRow(
        "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None",
        pool(2),
    ),
    "torch.nn.AdaptiveAvgPool1d": LayerRow("output_size", adaptive(1)),
    "torch.nn.AdaptiveAvgPool2d": LayerRow("output_size", adaptive(2)),
    "torch.nn.AdaptiveMaxPool1d": LayerRow("output_size, return_indices=False", adaptive(1)),
    "torch.nn.AdaptiveMaxPool2d": LayerRow("output_size, return_indices=False", adaptive(2)),
    "torch.nn.ConstantPad1d": LayerRow("padding, value", padded(1)),
    "torch.nn.ConstantPad2d": LayerRow("padding, value", padded(2)),
    "torch.nn.ZeroPad1d": LayerRow("padding", padded(1)),
    "torch.nn.ZeroPad2d": LayerRow("padding", padded(2)),
    "torch.nn.ReflectionPad1d": LayerRow("padding", mirrored(1)),
    "torch.nn.ReplicationPad1d": LayerRow("padding", mirrored(1)),
    "torch.nn.Upsample": LayerRow(
        "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
        upsampled,
    ),
}
ROWS: dict[str, Op] = {
    "torch.nn.functional.interpolate": interpolated,
}
OTHER_ROWS: dict[str, Op] = {
    "torch.nn.functional.conv1d": f_convolution,
    "torch.nn.functional.conv2d": f_convolution,
    "torch.nn.functional.max_pool1d": f_pool,
    "torch.nn.functional.max_pool2d": f_pool,
    "torch.nn.functional.avg_pool1d": f_pool,
    "torch.nn.functional.avg_pool2d": f_pool,
    "torch.nn.functional.adaptive_avg_pool1d": f_adaptive,
    "torch.nn.functional.adaptive_avg_pool2d": f_adaptive,
    "torch.nn.functional.adaptive_max_pool1d": f_adaptive,
}
