"""What flows through the ops when sizes are symbols, or the rank of a tensor from outside is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from opchecks.values import PLACE, to_value

from lstm_lint.dims import ONE, Dim, Kind, Symbol, symbol
from lstm_lint.ops.table import ATTRIBUTES, LAYERS, OPS, PACKED_ATTRIBUTES, binary, index, size_of, sizes_shape, sizes_value
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    FALSE,
    NONE,
    TRUE,
    Bool,
    Call,
    External,
    Float,
    Int,
    OneOf,
    Packed,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
)  # fmt: skip

N, T, H, L = symbol("N"), symbol("T"), symbol("H"), symbol("L")
BI = Dim.of(Symbol("bidirectional", "bidirectional", Kind.FLAG))
X = Unknown("x", "x", kind=Kind.RUNTIME)


def run(name: str, *args: Value | int, **kwargs: Value | int) -> Value:
    positional = tuple(to_value(arg) if isinstance(arg, int) else arg for arg in args)
    keywords = {key: to_value(arg) if isinstance(arg, int) else arg for key, arg in kwargs.items()}
    return OPS[name](Call(name, positional, keywords, PLACE, run.__hash__() + len(args)))


def method(name: str, *args: Value | int, **kwargs: Value | int) -> Value:
    return run(f"torch.Tensor.{name}", *args, **kwargs)


def layer(name: str, config: dict[str, Value | int], *args: Value, **kwargs: Value) -> Value:
    row = LAYERS[f"torch.nn.{name}"]
    given = {key: to_value(value) if isinstance(value, int) else value for key, value in config.items()}
    bound = row.bound(Call(name, (), given, PLACE, 1))
    assert not isinstance(bound, str), bound
    return row.forward(bound, Call(f"torch.nn.{name}", args, kwargs, PLACE, 2))


def tensor(*dims: Dim | int) -> Tensor:
    return Tensor(Shape.of(*dims))


def dims(value: Value) -> tuple[Dim, ...] | None:
    assert isinstance(value, Tensor), value
    return value.shape.dims


def size(value: Value, position: int) -> Dim:
    assert isinstance(value, Tensor), value
    return value.shape.dim(position)


def x_size(position: int) -> Dim:
    return Shape.unknown("x", "x").dim(position)


# -- tensors of unknown rank -----------------------------------------------------------------------------------------
def test_sizes_of_what_is_derived_from_x_are_those_of_x() -> None:
    embedded = layer("Embedding", {"num_embeddings": 10, "embedding_dim": Int(H)}, X)
    assert (size(embedded, 0), size(embedded, 1), size(embedded, -1)) == (x_size(0), x_size(1), H)
    dropped = layer("Dropout", {}, embedded)
    turned = method("transpose", dropped, 0, 1)
    assert (size(turned, 0), size(turned, 1)) == (x_size(1), x_size(0))
    assert turned.shape.with_rank(3).dims == (x_size(1), x_size(0), H)
    projected = layer("Linear", {"in_features": Int(H), "out_features": 7}, turned)
    assert (size(projected, 0), size(projected, -1)) == (x_size(1), Dim.of(7))


def test_rank_learned() -> None:
    assert dims(method("permute", X, 1, 0, 2)) == (x_size(1), x_size(0), x_size(2))
    assert dims(method("t", X)) == (x_size(1), x_size(0))
    assert dims(run("torch.bmm", X, tensor(N, H, 3))) == (x_size(0), x_size(1), Dim.of(3))


def test_an_axis_named_in_front_may_be_the_one_known_behind() -> None:
    """Of x (N, T), what an embedding makes has three axes, of x (N, T, K) four: the embedding's size is where it is."""
    embedded = layer("Embedding", {"num_embeddings": 10, "embedding_dim": 7}, X)
    first = method("select", embedded, 2, 0)
    assert first.shape.minimum_rank == 2
    assert first.shape.with_rank(2).dims == (x_size(0), x_size(1))
    assert first.shape.with_rank(3).dims == (x_size(0), x_size(1), Dim.of(7))
    assert method("sum", embedded, 1).shape.with_rank(1).dims == (x_size(0),)
    turned = method("transpose", method("transpose", embedded, 1, 2), 1, 2)
    assert turned.shape.with_rank(4).dims == (x_size(0), x_size(1), x_size(2), Dim.of(7))
    whole = Slice(NONE, NONE, NONE)
    step = index(embedded, Tuple((whole, Int(Dim.of(0)), whole)), Call("i", (), {}, PLACE, 1))
    assert (size(step, 0), size(step, -1)) == (x_size(0), Dim.of(7))


def test_axes_of_unknown_rank() -> None:
    assert size(method("unsqueeze", X, 0), 1) == x_size(0)
    assert size(method("unsqueeze", X, -1), -2) == x_size(-1)
    assert size(index(X, Tuple((Slice(NONE, NONE, NONE), Int(Dim.of(0)))), Call("i", (), {}, PLACE, 1)), 1) == x_size(2)
    assert size(method("sum", X, 1), 1) == x_size(2)
    assert size(method("flatten", X, 0, 1), 0) == x_size(0) * x_size(1)
    assert size(method("flatten", X, 1), 0) == x_size(0)
    assert dims(method("expand", X, Int(L), -1, -1)) == (L, x_size(-2), x_size(-1))


def test_view_of_unknown() -> None:
    assert dims(method("view", X, Int(N), Int(H))) == (N, H)
    inferred = method("view", X, Int(N), -1)
    assert size(inferred, 0) == N and size(inferred, 1).symbols[0].kind is Kind.OPAQUE


def test_sizes_of_unknown_rank() -> None:
    sizes = sizes_value(Tensor(Shape.unknown("x", "x")))
    assert sizes_shape(sizes) == Shape.unknown("x", "x")
    made = run("torch.zeros", sizes)
    assert size(made, 0) == x_size(0)
    assert size_of(made, Int(Dim.of(1)), Call("s", (), {}, PLACE, 3)) == Int(x_size(1))  # type: ignore[arg-type]


def test_squeeze_where_open() -> None:
    squeezed = method("squeeze", tensor(N, T, H), 1)
    assert isinstance(squeezed, Tensor) and squeezed.shape.dims is None
    assert (size(squeezed, 0), size(squeezed, -1)) == (N, H)


def test_squeeze_of_directions_is_two_cases() -> None:
    squeezed = method("squeeze", tensor(BI + 1, N, H), 0)
    assert isinstance(squeezed, OneOf)
    found = {condition: dims(value) for condition, value in squeezed.alternatives}
    assert found == {ONE - BI: (N, H), BI: (Dim.of(2), N, H)}


# -- states ----------------------------------------------------------------------------------------------------------
def test_directions_joined() -> None:
    state = tensor(L * 2, N, H)
    call = Call("i", (), {}, PLACE, 1)
    halves = [index(state, Slice(Int(Dim.of(i)), NONE, Int(Dim.of(2))), call) for i in (0, 1)]
    assert dims(run("torch.cat", Tuple(tuple(halves), "list"), 2)) == (L, N, H * 2)
    split = method("view", state, Int(L), 2, Int(N), -1)
    turned = method("contiguous", method("transpose", split, 1, 2))
    assert dims(method("view", turned, Int(L), Int(N), -1)) == (L, N, H * 2)


def test_direction_factor_divides_by_cases() -> None:
    state = tensor(L * (BI + 1), N, H)
    split = method("view", state, Int(L), Int(BI + 1), Int(N), -1)
    assert dims(split) == (L, BI + 1, N, H)
    with_two = method("view", state, Int(L), 2, Int(N), -1)
    given = with_two.shape.dim(-1).substitute({BI.symbols[0]: ONE})  # type: ignore[union-attr]
    assert given == H


def test_stack_and_cat_of_repeated() -> None:
    assert dims(run("torch.stack", Repeated(tensor(N, H), L))) == (L, N, H)
    assert dims(run("torch.cat", Repeated(tensor(1, N, H), L), 0)) == (L, N, H)
    assert dims(run("torch.cat", Tuple((tensor(N, H), X)), 1)) == (N, H + x_size(1))
    assert dims(run("torch.cat", Tuple((tensor(N, H), tensor(N, L))), -1)) == (N, H + L)


def test_chunks_of_gates() -> None:
    gates = method("chunk", tensor(N, H * 4), 4, 1)
    assert isinstance(gates, Tuple) and [dims(gate) for gate in gates.items] == [(N, H)] * 4
    unknown = method("chunk", tensor(N, H), 2, 1)
    assert isinstance(unknown, Tuple) and len(unknown.items) == 2


def test_unbind() -> None:
    assert method("unbind", tensor(L, N, H)) == Repeated(tensor(N, H), L, "tuple")


# -- sizes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["zeros", "ones", "randn", "rand", "empty"])
def test_creation(name: str) -> None:
    made = run(f"torch.{name}", Int(L), Int(N), Int(H))
    assert made == Tensor(Shape((L, N, H)), "float32", "cpu", f"torch.{name}", PLACE)
    assert dims(run(f"torch.{name}", Tuple((Int(L), Int(N), Int(H))))) == (L, N, H)
    assert dims(run(f"torch.{name}", size=Tuple((Int(L), Int(N)), "list"))) == (L, N)


def test_a_lone_unknown_is_one_size_or_many() -> None:
    made = run("torch.zeros", Unknown("n", "n"))
    assert isinstance(made, Tensor) and made.shape.dims is None and made.why is not None
    assert dims(run("torch.zeros", Unknown("n", "n", default=Int(ONE)))) is not None
    assert len(dims(run("torch.zeros", Unknown("n", "n"), Unknown("m", "m"))) or ()) == 2


def test_alternatives_are_kept_apart() -> None:
    sizes = OneOf(((BI, Tuple((Int(L * 2), Int(N), Int(H)))), (ONE - BI, Tuple((Int(L), Int(N), Int(H))))))
    made = run("torch.zeros", sizes)
    assert isinstance(made, OneOf)
    assert {dims(value) for _, value in made.alternatives} == {(L * 2, N, H), (L, N, H)}


def test_float_size_is_refused() -> None:
    made = run("torch.zeros", Float(ratio=(H, Dim.of(2))), 3)
    assert isinstance(made, Unknown) and "torch refuses" in made.reason


def test_new_takes_the_type_alone() -> None:
    weight = Tensor(Shape.unknown("w", "w"), "float32")
    made = method("zero_", method("new", weight, Int(L), Int(N), Int(H)))
    assert dims(made) == (L, N, H) and isinstance(made, Tensor) and made.made_by == "torch.Tensor.zero_"
    assert dims(method("new_zeros", Unknown("w", "w"), Int(L), Int(N), Int(H))) == (L, N, H)


def test_what_made_it_survives_a_move() -> None:
    state = run("torch.zeros", Int(L), Int(N), Int(H))
    moved = method("cuda", method("requires_grad_", state))
    assert isinstance(moved, Tensor) and (moved.made_by, moved.device) == ("torch.zeros", "cuda")
    assert method("to", state, Unknown(("device", 1), "device")).device is None  # type: ignore[union-attr]
    assert method("to", state, Unknown(("device", 1), "device")).dtype == "float32"  # type: ignore[union-attr]
    assert method("to", state, Unknown("device", "device")).dtype is None  # type: ignore[union-attr]
    assert method("to", state, External("torch.double")).dtype == "float64"  # type: ignore[union-attr]


# -- broadcasting ----------------------------------------------------------------------------------------------------
def test_masked_state() -> None:
    call = Call("torch.mul", (), {}, PLACE, 5)
    assert dims(binary(tensor(1, N, 1), tensor(L, N, H), call)) == (L, N, H)
    assert dims(binary(Float(2.0), tensor(L, N, H), call)) == (L, N, H)
    assert binary(tensor(L, N, H), X, call).shape.dims is None  # type: ignore[union-attr]
    same = Tensor(Shape.unknown("x", "x"))
    assert binary(same, same, call).shape == same.shape  # type: ignore[union-attr]


# -- packing ---------------------------------------------------------------------------------------------------------
RNN = "torch.nn.utils.rnn"


def test_pack_and_pad() -> None:
    packed = run(f"{RNN}.pack_padded_sequence", tensor(N, T, H), Unknown("lengths", "lengths"), batch_first=TRUE)
    assert isinstance(packed, Packed) and replace(packed, lengths=None) == Packed(N, (H,), time=T, in_order=True)
    padded = run(f"{RNN}.pad_packed_sequence", packed, FALSE)
    assert isinstance(padded, Tuple)
    assert size(padded.items[0], 1) == N and size(padded.items[0], 2) == H and dims(padded.items[1]) == (N,)
    data = PACKED_ATTRIBUTES["data"](Call("data", (packed,), {}, PLACE, 9))
    assert size(data, 1) == H


def test_pack_by_a_flag() -> None:
    packed = run(f"{RNN}.pack_padded_sequence", tensor(4, 3, H), NONE, Bool(BI))
    assert isinstance(packed, Packed) and packed.batch == BI * 4 + (ONE - BI) * 3


def test_pack_of_unknown_rank() -> None:
    embedded = layer("Embedding", {"num_embeddings": 10, "embedding_dim": Int(H)}, X)
    packed = run(f"{RNN}.pack_padded_sequence", embedded, NONE, TRUE)
    assert isinstance(packed, Packed)
    assert replace(packed, lengths=None, lineage=None) == Packed(x_size(0), (H,), time=x_size(1), in_order=True)


# -- attributes and einops -------------------------------------------------------------------------------------------
def test_attributes() -> None:
    state = Tensor(Shape((L, N, H)), "float32")
    assert ATTRIBUTES["shape"](state) == Tuple((Int(L), Int(N), Int(H)), "size")
    assert ATTRIBUTES["T"](state).shape.dims == (H, N, L)  # type: ignore[union-attr]
    assert ATTRIBUTES["ndim"](state) == Int(Dim.of(3))
    assert ATTRIBUTES["dtype"](state) == External("torch.float32")


@pytest.mark.parametrize(
    ("pattern", "sizes", "expected"),
    [
        ("n t h -> t n h", {}, (T, N, H * 4)),
        ("n t (g h) -> n t g h", {"g": 4}, (N, T, Dim.of(4), H)),
        ("n t (h g) -> (n t) h g", {"g": 2}, (N * T, H * 2, Dim.of(2))),
        ("n t h -> n (t h)", {}, (N, T * H * 4)),
        ("n ... -> ... n", {}, (T, H * 4, N)),
        ("n t h -> n t h 1", {}, (N, T, H * 4, ONE)),
        ("n t h -> n t h ()", {}, (N, T, H * 4, ONE)),
    ],
)
def test_rearrange(pattern: str, sizes: dict[str, int], expected: tuple[Dim, ...]) -> None:
    assert dims(run("einops.rearrange", tensor(N, T, H * 4), Str(pattern), **sizes)) == expected


def test_repeat_and_reduce() -> None:
    assert dims(run("einops.repeat", tensor(N, H), Str("n h -> l n h"), l=Int(L))) == (L, N, H)
    assert dims(run("einops.repeat", tensor(N, H), Str("n h -> 3 n h"))) == (Dim.of(3), N, H)
    assert dims(run("einops.reduce", tensor(N, T, H), Str("n t h -> n h"), Str("mean"))) == (N, H)


@pytest.mark.parametrize(
    ("pattern", "shape"),
    [
        ("n t -> t n", (2, 3, 4)), ("n t -> n", (2, 3)), ("n t -> n t k", (2, 3)), ("n (t k) -> n t k", (2, 3)),
        ("n n -> n", (2, 2)),
        ("(n t", (6,)), ("n t", (2, 3)), ("n 3 -> n", (2, 2)),
    ],
)  # fmt: skip
def test_rearrange_refused(pattern: str, shape: tuple[int, ...]) -> None:
    assert isinstance(
        run("einops.rearrange", tensor(*shape), Str(pattern), **({"k": 2} if "(t k)" in pattern else {})), Unknown
    ) or (pattern == "n 3 -> n")


def test_module_wrappers_give_the_module_back() -> None:
    module = Unknown("module", "module")
    assert run("torch.nn.utils.spectral_norm", module) is module
    assert run("torch.device", Str("cuda:0")) == Str("cuda:0")
    moved = method("to", tensor(N), run("torch.device", Unknown("name", "name")))
    assert isinstance(moved, Tensor)
