"""What a ``**kwargs`` of unknown content holds under a name: one unknown, however the code asks for it.

``kwargs["n"]``, ``kwargs.get("n", 1)``, ``kwargs.pop("n")`` and ``f(**kwargs)`` with a parameter `n` speak of the same value.
"""

from __future__ import annotations

from collections.abc import Iterable

from lstm_lint.values import Unknown, Value

STARS = "**"
WITHOUT = "without"


def keywords_named(name: str) -> str:
    """The name of the unknown that is a ``**kwargs`` as a whole."""
    return f"{STARS}{name}"


def entry_of(owner: Unknown, name: str | int, default: Value | None = None) -> Value | None:
    """``owner["name"]`` of something from outside; `default` (None: there is none) where it is known not to be in there.

    A keyword of a ``**kwargs`` is called as the caller writes it, and belongs to the signature as any parameter does.
    """
    whole, removed = _without(owner)
    if name in removed:
        return default
    is_keyword = owner.name.startswith(STARS)
    text = str(name) if is_keyword else f"{owner.name}[{name!r}]"
    belongs_to = owner.owner if is_keyword else None
    return Unknown((whole, "[]", name), text, owner.reason, owner.place, owner.kind, default, belongs_to)


def argument_of(rest: Unknown, name: str, default: Value | None) -> Value | None:
    """What a parameter gets from ``f(**rest)`` or ``f(*rest)``; `default` where that is known not to be in there."""
    whole, removed = _without(rest)
    if name in removed:
        return default
    return Unknown((whole, "[]", name), name, rest.reason, rest.place, rest.kind, default, rest.owner)


def without(owner: Unknown, names: Iterable[str | int]) -> Unknown:
    """The same keywords with some taken out (``kwargs.pop``; a parameter of that name takes it)."""
    whole, removed = _without(owner)
    key = (WITHOUT, whole, removed | frozenset(names))
    return Unknown(key, owner.name, owner.reason, owner.place, owner.kind, owner.default, owner.owner)


def may_hold(owner: Unknown, name: str | int) -> bool:
    """Whether a key may be among the keywords."""
    return name not in _without(owner)[1]


def identity_of(owner: Unknown) -> object:
    """Who the keywords are, whatever was taken out of them."""
    return _without(owner)[0]


def _without(owner: Unknown) -> tuple[object, frozenset[str | int]]:
    match owner.key:
        case ("without", whole, frozenset() as removed):
            return whole, removed
        case _:
            return owner.key, frozenset()
