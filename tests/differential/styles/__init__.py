"""The styles of programs.

To add one: write a function Writer -> Draft in a file here, and a row in STYLES. The usual steps of a module style:

    cfg = Config(w, "params")                          where the sizes come from
    net = make_net(w, cfg)                             a class that saves them and builds the layer
    scope = net.scope()                                how a method may spell num_layers, hidden_size, ...
    read_input(scope, lines, "x")                      ... and batch and steps, from its input
    text = state(scope, lines)                         the state, with this program's mistake in it
    call(w, lines, net.layer, "x", text)               out, (hn, cn) = self.lstm(x, (h0, c0))
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))                the driver: model = Net(...); model(x)

Every random choice goes through `w`; a mistake that the shared parts do not make is asked for by w.faulty("name").
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.differential import mutations
from tests.differential.program import Draft
from tests.differential.styles import carriers, cells, feeds, handoff, holders, modules, packed, scripts
from tests.differential.writer import Writer

MIXED = ("LSTM",) * 6 + ("GRU", "RNN")
ONLY_LSTM = ("LSTM",)
ANY_FLAG = (None,)
STATE = mutations.STATE
WHOLE = mutations.STATE + mutations.INPUT + mutations.CONSTRUCTOR
NO_STEPS = tuple(name for name in STATE if name != "steps_for_batch")
PACKED = (*tuple(name for name in STATE if name != "low_rank"), "input_last", *mutations.CONSTRUCTOR)
LIST = ("wrong_hidden", "swapped", "constant_states", "steps_for_batch")
LEARNED = (
    "no_directions",
    "no_layers",
    "constant_states",
    "doubled",
    "steps_for_batch",
    "wrong_hidden",
    "proj_ignored",
)
BRANCHES = ("no_directions", "no_directions", "doubled", "no_layers", "wrong_hidden", "steps_for_batch", "fixed_batch")


@dataclass(frozen=True)
class Style:
    """A style: its writer, the mistakes it can carry, the layers it is written for, and what it needs of the sizes."""

    name: str
    write: Callable[[Writer], Draft]
    mutations: tuple[str, ...]
    kinds: tuple[str, ...] = MIXED
    batched: bool = True
    flags: tuple[bool | None, ...] = ANY_FLAG
    projections: bool = True
    weight: int = 2


STYLES = (
    Style("script", scripts.script, WHOLE, weight=5),
    Style("function", scripts.function, WHOLE, weight=3),
    Style("helper", scripts.helper, WHOLE, weight=3),
    Style("loop", scripts.loop, STATE + mutations.INPUT),
    Style("module_inline", modules.module_inline, WHOLE, weight=6),
    Style("config_object", modules.config_object, WHOLE, weight=5),
    Style("branch", modules.branch, BRANCHES, projections=False, weight=3),
    Style("init_hidden_called", modules.init_hidden_called, WHOLE, weight=4),
    Style("init_hidden_driver", modules.init_hidden_driver, WHOLE, weight=4),
    Style("init_hidden_self", modules.init_hidden_self, WHOLE, weight=3),
    Style("state_on_self", modules.state_on_self, WHOLE, weight=4),
    Style("state_if_none", modules.state_if_none, NO_STEPS, weight=3),
    Style("state_passed", carriers.state_passed, WHOLE, weight=4),
    Style("learned", carriers.learned, LEARNED),
    Style("base_class", carriers.base_class, WHOLE, weight=3),
    Style("subclass", carriers.subclass, STATE + mutations.INPUT + ("ctor_keyword",)),
    Style("wrapper", carriers.wrapper, WHOLE),
    Style("chosen_kind", carriers.chosen_kind, (*STATE, "ctor_keyword", "input_last"), weight=1),
    Style("unbatched", carriers.unbatched, mutations.UNBATCHED_STATE + mutations.INPUT, batched=False),
    Style(
        "encoder_decoder",
        handoff.encoder_decoder,
        mutations.HANDOFF,
        projections=False,
        flags=(True, True, False),
        weight=4,
    ),
    Style("stacked", handoff.stacked, mutations.STACK * 4 + ("no_directions", "input_last", "ctor_value"), weight=3),
    Style("decoding_loop", handoff.decoding_loop, STATE),
    Style("cell_script", cells.cell_script, mutations.CELL, projections=False),
    Style("cell_module", cells.cell_module, mutations.CELL, projections=False),
    Style(
        "cell_stack",
        cells.cell_stack,
        ("wrong_hidden", "steps_for_batch", "input_last"),
        projections=False,
        flags=(False,),
        weight=1,
    ),
    Style("holder", holders.holder, WHOLE, weight=3),
    Style("layer_list", holders.layer_list, LIST, projections=False, flags=(False,), weight=1),
    Style("packed_module", packed.packed_module, PACKED, weight=3),
    Style("packed_script", packed.packed_script, PACKED, weight=2),
    Style("embedded", feeds.embedded, (*STATE, "input_last", *mutations.CONSTRUCTOR)),
    Style("transposed_input", feeds.transposed_input, (*STATE, "input_last")),
    Style(
        "single_sample",
        feeds.single_sample,
        (*(name for name in NO_STEPS if name != "low_rank"), "input_last"),
        batched=False,
    ),
    Style("projected", feeds.projected, (*STATE, "input_last")),
    Style("from_vector", feeds.from_vector, ("no_directions", "low_rank", "transposed"), projections=False),
)
