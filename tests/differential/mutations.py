"""The mistakes that can be injected, by name. Whether one is a mistake in a given program, torch says."""

STATE_DIMS = (
    "no_directions",  # num_layers where num_layers * num_directions is due
    "no_layers",  # num_directions alone
    "constant_states",  # a literal in dim 0
    "doubled",  # twice as many states as there are
    "swapped",  # (batch, layers, hidden): batch_first people
    "transposed",  # right, then transposed
    "steps_for_batch",  # the sequence length as batch
    "fixed_batch",  # a literal batch that is not the input's
    "wrong_hidden",  # another last dim
)
STATE_PROJ = ("proj_ignored", "swapped_pair")
STATE_RANK = ("low_rank", "high_rank")
STRUCTURE = ("bare_state", "pair_state", "triple_state", "stacked_state")
INPUT = ("input_last", "input_rank1", "input_rank4")
CONSTRUCTOR = ("ctor_value", "ctor_keyword", "ctor_positional")
STACK = ("one_output",)  # the next layer built for one direction's features
HANDOFF = ("handoff",)  # one layer's final state passed to another that wants a different one

STATE = STATE_DIMS + STATE_PROJ + STATE_RANK + STRUCTURE
UNBATCHED_STATE = ("no_directions", "no_layers", "constant_states", "doubled", "wrong_hidden", "high_rank", *STRUCTURE)
ALL = STATE + INPUT + CONSTRUCTOR + STACK + HANDOFF
CELL = (
    "wrong_hidden",
    "steps_for_batch",
    "fixed_batch",
    "cell_structure",
    "cell_input_rank",
    "input_last",
    "cell_rank",
    "swapped",
)
EVERY = ALL + tuple(name for name in CELL if name not in ALL)

KIND_NEEDED = {
    "proj_ignored": "LSTM",
    "swapped_pair": "LSTM",
    "bare_state": "LSTM",
    "triple_state": "LSTM",
    "stacked_state": "LSTM",
    "pair_state": "GRU",
}
"""Mutations that make sense for one kind of layer only."""
