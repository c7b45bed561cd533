"""The alternatives of one call: which of them count, where something is not known and each possibility was tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol
from lstm_lint.judge import Judged
from lstm_lint.proofs.conditions import implied
from lstm_lint.proofs.wording import FRESH, flag_text, is_about_a_rank, is_riddle
from lstm_lint.values import Value


def likeliest(calls: Sequence[Judged], wrong: Sequence[int]) -> list[bool]:
    """Which of the alternatives of one call count.

    Where the rank of a tensor is not known and each was tried, those with the least to complain of; of equally bad ranks the
    one with a batch. Where nothing is wrong with one alternative, another that rests on a condition nobody can name does not
    count either: what such a condition excludes is not known. `wrong` says how bad each call is, 0 being fine.
    """
    assumed = [_assumed_ranks(judged) for judged in calls]
    groups = [(judged.call.evaluation, _without_ranks(judged)) for judged in calls]
    worst: dict[tuple[int, Dim], dict[Ranks, int]] = {}
    for group, ranks, bad in zip(groups, assumed, wrong, strict=True):
        known = worst.setdefault(group, {})
        known[ranks] = max(known.get(ranks, 0), bad)
    best = {group: min(known, key=lambda r: (known[r], _order(r))) for group, known in worst.items()}
    counts = [best[group] == ranks for group, ranks in zip(groups, assumed, strict=True)]
    fine: dict[int, list[Dim]] = {}
    for judged, count, bad in zip(calls, counts, wrong, strict=True):
        if count and bad < 2:
            fine.setdefault(judged.call.evaluation, []).append(judged.call.given)
    return [
        count and not (bad and (others := fine.get(judged.call.evaluation)) and _is_optional(judged, others))
        for judged, count, bad in zip(calls, counts, wrong, strict=True)
    ]


def _is_optional(judged: Judged, fine: Sequence[Dim]) -> bool:
    """Whether an alternative may well not exist, where others of its call are `fine`: under these conditions.

    It rests on what nobody can name, or on a rank that was tried while with another rank one of the others is reached.
    """
    ranks, rest = _assumed_ranks(judged)[1], _without_ranks(judged)
    reached = (given.substitute({symbol: Dim.of(1 - value)}) * rest != ZERO for given in fine for symbol, value in ranks)
    return _rests_on_the_unnamed(judged) or any(reached)


def _rests_on_the_unnamed(judged: Judged) -> bool:
    return any(is_riddle(flag, judged.call.rounds) for flag in judged.call.given.flags)


def _without_ranks(judged: Judged) -> Dim:
    """The condition of a call without what it says of ranks."""
    return judged.call.given.substitute({symbol: Dim.of(value) for symbol, value in _assumed_ranks(judged)[1]})


Ranks = tuple[int | None, frozenset[tuple[Symbol, int]]]
"""The rank assumed of the input, and the flags about ranks (``x.dim() == 2``) that hold or do not hold."""


def _assumed_ranks(judged: Judged) -> Ranks:
    flags = {
        (symbol, dim.constant or 0)
        for symbol, dim in implied(judged.call.given).items()
        if symbol.is_flag and is_about_a_rank(symbol)
    }
    return judged.call.assumed_rank, frozenset(flags)


def _order(ranks: Ranks) -> tuple[int, list[tuple[str, int]]]:
    return -(ranks[0] or 0), sorted((symbol.order, value) for symbol, value in ranks[1])


@dataclass(frozen=True)
class Configuration:
    """What a condition rests on: `needed`, a configuration that is not the default, or `usual`, one that is; None: on none."""

    needed: str | None = None
    usual: str | None = None

    @staticmethod
    def of(given: Dim, required: Dim = ONE) -> Configuration:
        """`required`: with any other configuration something is raised before."""
        needed = configuration(given, required)
        return Configuration(needed, None if needed is not None else _by_the_defaults(given, required))


ANY = Configuration()


def configurations(calls: Sequence[Judged], wrong: Sequence[bool]) -> dict[int, Configuration]:
    """For each call with something wrong: the configuration that all its wrong alternatives together rest on.

    Where one state goes to one layer at several calls, as in the arms of an ``if``, they rest on it together.
    """
    total: dict[int, Dim] = {}
    required: dict[int, Dim] = {}
    together: dict[tuple[int, Value | None], list[int]] = {}
    for judged, bad in zip(calls, wrong, strict=True):
        if bad:
            call = judged.call
            total[call.evaluation] = total.get(call.evaluation, ZERO) + call.given
            required[call.evaluation] = call.required
            together.setdefault((call.site.number, call.state), []).append(call.evaluation)
    result = {evaluation: Configuration.of(given, required[evaluation]) for evaluation, given in total.items()}
    for evaluations in together.values():
        if len(set(evaluations)) > 1 and all(result[evaluation].needed is not None for evaluation in evaluations):
            whole = ZERO
            for evaluation in dict.fromkeys(evaluations):
                whole = whole + total[evaluation] - whole * total[evaluation]
            result.update(dict.fromkeys(evaluations, Configuration.of(whole, required[evaluations[0]])))
    return result


def configuration(given: Dim, required: Dim = ONE) -> str | None:
    """The configuration that a condition rests on (``bidirectional=True``); None if the declared defaults bring it about.

    Conditions nobody can name, ranks, and what methods did before are no configuration: somebody gets there. Nor is what is
    `required`: with any other, something is raised before.
    """
    by_default = _by_default(given)
    if by_default == ZERO:
        fixed = [flag for flag in given.flags if flag.default is not None]
    else:
        fixed, given = list(by_default.flags), by_default
    settled = implied(required)
    words = [
        flag_text(symbol, dim.constant or 0)
        for symbol, dim in implied(given).items()
        if symbol in fixed and symbol not in settled and _is_configuration(symbol) and dim.constant != symbol.default
    ]
    if by_default == ZERO and not words and _by_default(required) != ZERO:
        words = [" or ".join(_each_enough(given, [flag for flag in fixed if _is_configuration(flag)], settled))]
    return " and ".join(word for word in [*words, *_more_rounds(given)] if word) or None


def _by_the_defaults(given: Dim, required: Dim) -> str | None:
    """Those declared defaults without which the condition does not hold, or each of which alone brings it about."""
    settled, fixed = implied(required), implied(given)
    usual = {s: Dim.of(s.default) for s in given.flags if s.default is not None and s not in settled and _is_configuration(s)}
    needed = [flag_text(s, s.default or 0) for s, default in usual.items() if fixed.get(s) == default]
    enough = [flag_text(s, s.default or 0) for s, default in usual.items() if given.substitute({s: default}) == ONE]
    return " and ".join(needed) or " or ".join(enough) or None


def _by_default(condition: Dim) -> Dim:
    """The condition where every flag with a declared default has it."""
    return condition.substitute({flag: Dim.of(flag.default) for flag in condition.flags if flag.default is not None})


def _each_enough(given: Dim, flags: Sequence[Symbol], settled: Mapping[Symbol, Dim]) -> Iterator[str]:
    """``bidirectional=True``, ``num_layers > 1``: what alone, with the defaults for the rest, brings about what they do not."""
    usual = {flag: settled.get(flag, Dim.of(flag.default or 0)) for flag in flags}
    for flag in flags:
        if flag not in settled and given.substitute({**usual, flag: ONE - usual[flag]}) != ZERO:
            yield flag_text(flag, 1 - (flag.default or 0))


def _more_rounds(given: Dim) -> Iterator[str]:
    """``layers > 1``, where only a round behind the first is meant, of a loop whose length is configured."""
    for flag, dim in implied(given).items():
        match flag.subject, flag.equals, dim.constant:
            case Dim(terms=(((Symbol(key=("loop", _, Dim() as length)),), 1),)), 0, 0:
                usual = length.evaluate({size: size.default for size in length.sizes if size.default is not None})
                if any(size.kind is Kind.CONFIG for size in length.sizes) and (usual or 0) < 2:
                    yield f"{length.text} > 1"


def _is_configuration(flag: Symbol) -> bool:
    return flag.owner not in (FRESH, "method") and not is_about_a_rank(flag)
