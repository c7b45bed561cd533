"""Sizes as integer polynomials over symbols, in one normal form.

A `Dim` is what the tool knows about one size of a tensor: ``2*L``, ``H + 2*E``, ``x.size(0)``. Two dims are equal exactly
when their normal forms are, so ``2*H + 2*E`` and ``2*(H + E)`` are one value. Booleans live in the same algebra: a *flag* is a
symbol that is 0 or 1 (so ``b*b = b``), ``2 if b else 1`` is ``1 + b``, and a condition is the polynomial that is 1 where it
holds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from operator import attrgetter

MAX_TERMS = 48
MAX_WEIGHT = 48  # operations in one operation: a number that is worked out in more steps than that is one nobody knows
LONGEST_ORDER = 200  # characters; the number behind tells apart what is longer

_NUMBERS: dict[Hashable, int] = {}


class Effort:
    """How many products of monomials were worked out: what an analysis has to pay for its conditions."""

    spent = 0


def interned(key: Hashable) -> int:
    """A small number that stands for a key: the same for equal keys, however deep they are."""
    return _NUMBERS.setdefault(key, len(_NUMBERS))


class Kind(Enum):
    """Where a symbol comes from; the severity of a finding follows from it."""

    CONFIG = "config"  # a constructor parameter, a field of a config object
    RUNTIME = "runtime"  # a size of a tensor that comes from outside
    FLAG = "flag"  # a condition: 0 or 1
    OPAQUE = "opaque"  # the result of something not understood


@dataclass(frozen=True, eq=False)
class Symbol:
    """An unknown integer. Identity is `key`; `name` is how the user's code spells it.

    `owner` names the signature or object a config symbol belongs to: two parameters of one signature are independent knobs.
    `subject` and `equals`: a flag that says ``subject == equals``; two such flags with one subject exclude each other.
    `reason`: why no more is known of it.
    `test`: a flag that says ``test > 0`` of a dim, so that an assignment of sizes decides it.
    """

    key: Hashable
    name: str = field(compare=False)
    kind: Kind = field(default=Kind.CONFIG, compare=False)
    default: int | None = field(default=None, compare=False)
    minimum: int | None = field(default=1, compare=False)
    owner: Hashable = field(default=None, compare=False)
    subject: Hashable = field(default=None, compare=False)
    equals: Hashable = field(default=None, compare=False)
    test: Dim | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)

    @cached_property
    def order(self) -> str:
        """A text that sorts symbols, the same for equal ones only: the normal form rests on it."""
        return f"{self.name}\0{interned(self.key):09d}"

    @cached_property
    def _hash(self) -> int:
        return hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Symbol) and self._hash == other._hash and self.key == other.key)

    @cached_property
    def is_flag(self) -> bool:
        return self.kind is Kind.FLAG

    @cached_property
    def left_out(self) -> object:
        """What equality leaves out but a proof rests on: the smallest value and the declared default."""
        return self.minimum, self.default

    @cached_property
    def spoken_of(self) -> tuple[Symbol, ...]:
        """The sizes that a flag says something of: ``num_layers > 1``, ``i == 0``."""
        return tuple(size for dim in (self.test, self.subject) if isinstance(dim, Dim) for size in dim.sizes)

    def excludes(self, other: Symbol) -> bool:
        """Both are flags of one subject and cannot both hold: ``kind == 'lstm'``, ``kind == 'gru'``; ``n > 0``, ``n == 0``."""
        if self.subject is not None and self.subject == other.subject and self.equals != other.equals:
            return True
        return self._is_positive_where(other) or other._is_positive_where(self)

    def _is_positive_where(self, other: Symbol) -> bool:
        """Whether this flag says of a dim that it is above 0, and the other one that it is a number that is not."""
        return self.test is not None and self.test == other.subject and isinstance(other.equals, int) and other.equals <= 0


@dataclass(frozen=True)
class Opaque:
    """An operation outside the polynomials (``//``, ``%``, ``max``, ``min``, ``**``): equal only to itself, by structure."""

    operator: str
    arguments: tuple[Dim, ...]
    minimum: int | None = field(default=None, compare=False)

    @cached_property
    def order(self) -> str:
        spelt = "\0".join("+".join(_term_order(*term) for term in argument.terms) for argument in self.arguments)
        return f"{self.operator}\0{spelt[:LONGEST_ORDER]}\0{interned((self.operator, self.arguments)):09d}"

    @cached_property
    def _hash(self) -> int:
        return hash((self.operator, self.arguments))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def weight(self) -> int:
        """How many operations it is made of, one that occurs twice counting twice."""
        parts = (atom for argument in self.arguments for atom in argument.atoms())
        return 1 + sum(atom.weight for atom in parts if isinstance(atom, Opaque))

    @property
    def is_flag(self) -> bool:
        return False

    @cached_property
    def left_out(self) -> object:
        """The same of what it is made of."""
        return tuple(argument._minima for argument in self.arguments)

    @property
    def name(self) -> str:
        if not self.arguments:
            return "a number"
        left, *others = [argument.text for argument in self.arguments]
        if self.operator in ("max", "min"):
            return f"{self.operator}({', '.join([left, *others])})"
        return f"{_wrapped(left)}{self.operator}{_wrapped(others[0])}"


Atom = Symbol | Opaque
Monomial = tuple[Atom, ...]


def _term_order(monomial: Monomial, coefficient: int) -> str:
    return "*".join([str(coefficient), *(atom.order for atom in monomial)])


def _wrapped(text: str) -> str:
    return text if all(c.isalnum() or c in "_.()[]" for c in text) else f"({text})"


ORDER = attrgetter("order")


def _multiply(left: Monomial, right: Monomial) -> Monomial | None:
    """The product of two monomials in normal form; None where exclusive flags make it 0."""
    if not left or not right:
        return left or right
    merged = sorted(left + right, key=ORDER)
    result: list[Atom] = []
    for atom in merged:
        if atom.is_flag:
            if result and result[-1] == atom:
                continue
            assert isinstance(atom, Symbol)
            if (atom.subject is not None or atom.test is not None) and any(
                isinstance(other, Symbol) and atom.excludes(other) for other in result
            ):
                return None
        result.append(atom)
    return tuple(result)


@dataclass(frozen=True, eq=False)
class Dim:
    """A polynomial: ``terms`` pairs monomials (sorted atoms) with non-zero integer coefficients, sorted."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(value: int | Atom) -> Dim:
        if isinstance(value, int):
            return Dim((((), int(value)),)) if value else ZERO
        return Dim((((value,), 1),))

    @staticmethod
    def collect(terms: Iterable[tuple[Monomial, int]]) -> Dim:
        """The normal form of a sum of terms."""
        total: dict[Monomial, int] = {}
        for monomial, coefficient in terms:
            total[monomial] = total.get(monomial, 0) + coefficient
        kept = [(m, c) for m, c in total.items() if c]
        if len(kept) > 1:
            kept.sort(key=lambda term: (len(term[0]), tuple(map(ORDER, term[0]))))
        return Dim(tuple(kept))

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dim) and self._hash == other._hash and self.terms == other.terms)

    # -- arithmetic --------------------------------------------------------------------------------------------------
    def __add__(self, other: Dim | int) -> Dim:
        if other == 0 or other == ZERO:
            return self
        if not self.terms:
            return to_dim(other)
        return Dim.collect([*self.terms, *to_dim(other).terms])

    def __neg__(self) -> Dim:
        return Dim(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Dim | int) -> Dim:
        return self + -to_dim(other)

    def __mul__(self, other: Dim | int) -> Dim:
        other = to_dim(other)
        if not self.terms or not other.terms:
            return ZERO
        if self.terms == ONE_TERM:
            return other
        if other.terms == ONE_TERM:
            return self
        if len(self.terms) * len(other.terms) > MAX_TERMS:
            return _opaque("*", tuple(sorted((self, other), key=interned)))
        Effort.spent += len(self.terms) * len(other.terms)
        return multiplied(self, other, self._minima, other._minima)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Dim:
        return to_dim(other) - self

    def __floordiv__(self, other: Dim | int) -> Dim:
        """Exact where the polynomial divides; an opaque atom (or, per flag, a case) where it does not.

        Raises:
            ZeroDivisionError: the divisor is the constant 0.
        """
        other = to_dim(other)
        if other == ZERO:
            raise ZeroDivisionError("integer division by zero")
        a, b = self.constant, other.constant
        if a is not None and b is not None:
            return Dim.of(a // b)
        exact = self.divided_by(other)
        if exact is not None:
            return exact
        if b is not None and b > 0:
            whole, rest = self._split(b)
            if whole.terms:
                return whole + rest // other
        return by_cases([self, other], lambda d: _constant_or_opaque("//", d[0], d[1]))

    def _split(self, divisor: int) -> tuple[Dim, Dim]:
        """(q, r) with ``self == divisor*q + r``: the terms that divide, and what is left."""
        whole = [(m, c // divisor) for m, c in self.terms if c // divisor]
        rest = [(m, c % divisor) for m, c in self.terms if c % divisor]
        return Dim.collect(whole), Dim.collect(rest)

    def __mod__(self, other: Dim | int) -> Dim:
        other = to_dim(other)
        if other == ZERO:
            raise ZeroDivisionError("integer modulo by zero")
        if self.divided_by(other) is not None:
            return ZERO
        return by_cases([self, other], lambda d: _constant_or_opaque("%", d[0], d[1]))

    def divided_by(self, divisor: Dim) -> Dim | None:
        """The dim `q` with ``q * divisor == self`` if there is one in integers, else None."""
        if divisor == ONE:
            return self
        if not self.terms or not divisor.terms:
            return ZERO if divisor.terms else None
        quotient, rest = ZERO, self
        lead_monomial, lead_coefficient = divisor.terms[-1]
        for _ in range(MAX_TERMS):
            if not rest.terms:
                return quotient if quotient * divisor == self else None
            monomial, coefficient = rest.terms[-1]
            left = _without(monomial, lead_monomial)
            if left is None or coefficient % lead_coefficient:
                return None
            step = Dim(((left, coefficient // lead_coefficient),))
            quotient, rest = quotient + step, rest - step * divisor
        return None

    # -- looking in --------------------------------------------------------------------------------------------------
    @property
    def constant(self) -> int | None:
        """The value if no symbol is left, else None."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0][0]:
            return self.terms[0][1]
        return None

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol in it, those inside opaque atoms too, once each and in a stable order."""
        found: dict[Symbol, None] = {}
        for atom in self.atoms():
            if isinstance(atom, Symbol):
                found[atom] = None
            else:
                for argument in atom.arguments:
                    found.update(dict.fromkeys(argument.symbols))
        return tuple(sorted(found, key=lambda s: s.order))

    @cached_property
    def flags(self) -> tuple[Symbol, ...]:
        return tuple(s for s in self.symbols if s.is_flag)

    @cached_property
    def sizes(self) -> tuple[Symbol, ...]:
        return tuple(s for s in self.symbols if not s.is_flag)

    @cached_property
    def divides_by_zero(self) -> bool:
        """Whether a division by the constant 0 stands in it, as where a flag or a size was put in."""
        parts = [atom for atom in self.atoms() if isinstance(atom, Opaque)]
        divisors = (part.arguments[1] for part in parts if part.operator in ("//", "%") and part.arguments)
        return ZERO in divisors or any(argument.divides_by_zero for part in parts for argument in part.arguments)

    @cached_property
    def _minima(self) -> tuple[object, ...]:
        """What equality leaves out of its atoms but a proof rests on."""
        return tuple(atom.left_out for monomial, _ in self.terms for atom in monomial)

    @cached_property
    def topics(self) -> frozenset[Hashable]:
        """What its symbols are, and what they say something of."""
        said_of = ((symbol, symbol.subject, symbol.test) for symbol in self.symbols)
        return frozenset(topic for topics in said_of for topic in topics if topic is not None)

    @cached_property
    def spoken_of(self) -> frozenset[Symbol]:
        """Its symbols, and the sizes that flags among them speak of."""
        return frozenset(size for symbol in self.symbols for size in (symbol, *symbol.spoken_of))

    def meets(self, other: Dim) -> bool:
        """Whether the product is not 0: of two conditions, whether both can hold at once."""
        if self.terms and other.terms and self.topics.isdisjoint(other.topics):
            return True
        return self * other != ZERO

    def atoms(self) -> Iterator[Atom]:
        for monomial, _ in self.terms:
            yield from monomial

    def where_flag(self, flag: Symbol, value: int) -> Dim:
        """The polynomial with a flag of its own put in: quicker than `substitute`."""
        if value:
            return self.substitute({flag: ONE})
        return Dim(tuple(term for term in self.terms if flag not in term[0]))

    def substitute(self, values: Mapping[Symbol, Dim]) -> Dim:
        """Every symbol in `values` replaced, inside opaque atoms too."""
        put = tuple((symbol, values[symbol]) for symbol in self.symbols if symbol in values) if values else ()
        return substituted(self, put, self._minima, *(value._minima for _, value in put)) if put else self

    def evaluate(self, values: Mapping[Symbol, int]) -> int | None:
        """The integer under an assignment, or None if a symbol has no value (or a division by zero is met)."""
        try:
            return self.substitute({s: Dim.of(v) for s, v in values.items()}).constant
        except ZeroDivisionError:
            return None

    @cached_property
    def text(self) -> str:
        """The dim in the user's own names: ``num_layers*2``, ``(2 if bidirectional else 1)*num_layers``."""
        return _text(self)

    def __repr__(self) -> str:
        return f"Dim({self.text})"


@lru_cache(maxsize=1 << 15)
def multiplied(left: Dim, right: Dim, *minima: tuple[object, ...]) -> Dim:
    """The product. What equality leaves out but a proof rests on, the `minima`, is part of the cache's key."""
    products: list[tuple[Monomial, int]] = []
    for monomial, a in left.terms:
        for other, b in right.terms:
            if (joined := _multiply(monomial, other)) is not None:
                products.append((joined, a * b))
    return Dim.collect(products)


@lru_cache(maxsize=1 << 14)
def substituted(dim: Dim, put: tuple[tuple[Symbol, Dim], ...], *minima: tuple[object, ...]) -> Dim:
    """The dim with those symbols replaced. `minima`: as in `multiplied`."""
    values = dict(put)
    terms: list[tuple[Monomial, int]] = []
    for monomial, coefficient in dim.terms:
        replaced = [atom for atom in monomial if _speaks_of(atom, values)]
        kept = tuple(atom for atom in monomial if atom not in replaced) if replaced else monomial
        product = Dim(((kept, coefficient),))
        for atom in replaced:
            product = product * _substituted(atom, values)
        terms.extend(product.terms)
    return Dim.collect(terms)


ONE_TERM: tuple[tuple[Monomial, int], ...] = (((), 1),)
ZERO = Dim(())
ONE = Dim(ONE_TERM)


def to_dim(value: Dim | int) -> Dim:
    return value if isinstance(value, Dim) else Dim.of(value)


def symbol(name: str, kind: Kind = Kind.CONFIG, key: Hashable = None, default: int | None = None) -> Dim:
    """A dim of one symbol, as tests and tables want it."""
    return Dim.of(Symbol(key if key is not None else name, name, kind, default))


def product(dims: Iterable[Dim]) -> Dim:
    """The product of all, 1 for none."""
    total = ONE
    for dim in dims:
        total = total * dim
    return total


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    rest = list(monomial)
    for atom in divisor:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)


def _speaks_of(atom: Atom, values: Mapping[Symbol, Dim]) -> bool:
    if isinstance(atom, Symbol):
        return atom in values
    return any(symbol in values for argument in atom.arguments for symbol in argument.symbols)


def _substituted(atom: Atom, values: Mapping[Symbol, Dim]) -> Dim:
    """An atom that speaks of the values, with them put in."""
    if isinstance(atom, Symbol):
        return values[atom]
    Effort.spent += atom.weight
    arguments = tuple(argument.substitute(values) for argument in atom.arguments)
    try:
        return OPERATORS[atom.operator](*arguments)
    except ZeroDivisionError:  # ``step % every`` where `every` is 0: nothing that runs divides so
        return _opaque(atom.operator, arguments, atom.minimum)


def _constant_or_opaque(operator: str, *arguments: Dim) -> Dim:
    """The operation on constants; else an opaque atom. Raises ZeroDivisionError as Python does."""
    constants = [argument.constant for argument in arguments]
    if all(value is not None for value in constants):
        return Dim.of(CONSTANT_OPERATORS[operator](*constants))
    if operator == "//":
        exact = arguments[0].divided_by(arguments[1])
        if exact is not None:
            return exact
    return _opaque(operator, arguments, 0 if operator in ("//", "%") else None)


def _opaque(operator: str, arguments: tuple[Dim, ...], minimum: int | None = None) -> Dim:
    """The operation as an atom; where it has too many parts, one that says nothing of them any more."""
    result = Opaque(operator, arguments, minimum)
    return Dim.of(result if result.weight <= MAX_WEIGHT else Opaque(f"number {interned(result)}", (), minimum))


def by_cases(dims: list[Dim], function: Callable[[list[Dim]], Dim]) -> Dim:
    """`function` applied under each value of the first flag met (at most three deep), joined again.

    ``hidden // num_directions`` with ``num_directions = 1 + b`` becomes ``b*(hidden//2) + (1 - b)*hidden``.
    """
    return _by_cases(dims, function, 3)


def _by_cases(dims: list[Dim], function: Callable[[list[Dim]], Dim], depth: int) -> Dim:
    flag = next((s for dim in dims for s in dim.flags), None)
    if flag is None or not depth:
        return function(dims)
    cases: list[Dim] = []
    for value in (ZERO, ONE):
        try:
            cases.append(_by_cases([dim.substitute({flag: value}) for dim in dims], function, depth - 1))
        except ZeroDivisionError:
            cases.append(function(dims))
    return where(Dim.of(flag), cases[1], cases[0])


def where(condition: Dim, if_true: Dim, if_false: Dim) -> Dim:
    """The dim that is `if_true` where `condition` (a 0/1 polynomial) holds and `if_false` elsewhere."""
    return if_true if if_true == if_false else if_false + condition * (if_true - if_false)


def maximum(*dims: Dim) -> Dim:
    return _extreme("max", dims)


def minimum(*dims: Dim) -> Dim:
    return _extreme("min", dims)


def _extreme(operator: str, dims: tuple[Dim, ...]) -> Dim:
    distinct = sorted({part for dim in dims for part in _parts_of(operator, dim)}, key=lambda dim: dim.text)
    if len(distinct) == 1:
        return distinct[0]
    return by_cases(distinct, lambda d: _constant_or_opaque(operator, *d))


def _parts_of(operator: str, dim: Dim) -> tuple[Dim, ...]:
    """What ``max(max(a, b), c)`` is the largest of."""
    match dim.terms:
        case (((Opaque(operator=known, arguments=arguments),), 1),) if known == operator:
            return arguments
        case _:
            return (dim,)


def power(base: Dim, exponent: Dim) -> Dim:
    """``base ** exponent`` for a small constant exponent; otherwise opaque."""
    n = exponent.constant
    if n is not None and 0 <= n <= 4:
        return product([base] * n)
    return by_cases([base, exponent], lambda d: _constant_or_opaque("**", *d))


CONSTANT_OPERATORS: Mapping[str, Callable[..., int]] = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "max": max,
    "min": min,
    "**": lambda a, b: a**b if 0 <= b <= 64 and abs(a) <= 1 << 16 else 0,
    "*": lambda a, b: a * b,
}
OPERATORS: Mapping[str, Callable[..., Dim]] = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "max": maximum,
    "min": minimum,
    "**": power,
    "*": lambda a, b: a * b,
}


# -- text ------------------------------------------------------------------------------------------------------------
def _text(dim: Dim) -> str:
    flag = next(iter(dim.flags), None)
    if flag is not None:
        return _text_with_flag(dim, flag)
    pieces = [_term_text(monomial, coefficient) for monomial, coefficient in reversed(dim.terms)]
    if not pieces:
        return "0"
    return " + ".join(pieces).replace("+ -", "- ")


def _text_with_flag(dim: Dim, flag: Symbol) -> str:
    on, off = dim.substitute({flag: ONE}), dim.substitute({flag: ZERO})
    if (on, off) == (ONE, ZERO):
        return flag.name
    if (on, off) == (ZERO, ONE):
        return f"(not {flag.name})"
    ratio = on.divided_by(off) if off.terms else None
    if ratio is not None and ratio.constant is not None and off != ONE:
        return f"{_factor(off.text)}*({ratio.text} if {flag.name} else 1)"
    return f"({on.text} if {flag.name} else {off.text})"


def _factor(text: str) -> str:
    return f"({text})" if any(mark in text for mark in (" + ", " - ", " if ")) and not text.startswith("(") else text


def _term_text(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    names = [_factor(atom.name) for atom in monomial]
    sign = "-" if coefficient < 0 else ""
    number = [] if abs(coefficient) == 1 else [str(abs(coefficient))]
    return sign + "*".join([*names, *number])
