"""The bounds of an analysis. Effort is counted in products of monomials (`dims.Effort`), which most of the time goes into."""

from __future__ import annotations

EFFORT_PER_STEP = 4  # one node costs about as much as so many products of monomials
EFFORT_PER_ENTRY = 40_000  # about half a second
EFFORT_PER_FILE = 100_000
EFFORT_WITHOUT_LAYERS = 60_000  # after so much in which no layer was built or called, none is likely to come
EFFORT_WITHOUT_CALLS = 80_000  # the same where layers were built, but none was called
EFFORT_FOR_CALLS = 150_000  # a share of what is left of it is how far an entry's calls are followed: some is left to the last
EFFORT_PER_CALLER = 25_000  # the same in a file that only uses layers of other files
EFFORT_PER_CHARACTER = 20  # the same in a small file: so that an analysis stays within some fifty times its parsing
EFFORT_AT_LEAST = 6_000
EFFORT_PER_MODULE = 12_000
KEPT_FOR_ENTRY = 8_000  # of an entry's effort, for its own statements: calls that would take it are not followed to their end
KEPT_FOR_MODULE = 2_000
KEPT_FOR_CALL = 500  # for the statements behind a call, in a function that is followed
EFFORT_BEYOND = 20_000  # what a small file's entries have for their own statements when it has none left for calls
SHARE = 4  # one entry may take one of so many parts of what the file has left for calls
EFFORT_BESIDE = 3_000  # for a call that reaches no layer: enough for what makes a state, too little for a data pipeline
EFFORT_WITH_TENSORS = 6_000  # for one that is given a tensor of which something is known: what it returns may reach a layer
EFFORT_WITH_LAYERS = 12_000  # for a call that is given a layer, of a function that names none
EFFORT_OF_CALLERS = 4_000  # for a method that sets attributes only by calling others that do
MAX_DEPTH = 24  # of calls within calls
MAX_NESTING = 120  # of expressions within expressions
