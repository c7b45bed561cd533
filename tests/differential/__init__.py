"""Random programs around torch's recurrent layers: torch judges each, lstm-lint judges each, and they must agree.

program.py    what a generated program is
sizes.py      the concrete numbers of one run, and other numbers for the same text
mutations.py  the mistakes that can be injected, one name each
writer.py     the random choices and the import spellings of one program
config.py     where the sizes come from: literals, constants, parameters, config objects
scope.py      how a quantity may be spelled at one place; the dims of a state, mistakes included
tensors.py    a tensor of given dims, in the many ways people make one
layers.py     a layer's construction
states.py     the pair (or single tensor) that is passed, and the call
nets.py       a module class around all that, and the driver that runs it
styles/       one function a style of program; listed in styles/__init__.py
generator.py  seed -> Program
oracle.py     what torch does with a source
lint.py       what lstm-lint says about many sources
compare.py    the two held together, and the table
harness.py    the command line: python -m tests.differential
"""
