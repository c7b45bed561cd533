"""Where an analysis starts: the module, then every function and class body, with symbols for what comes from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol
from lstm_lint.facts import Facts, LstmCall
from lstm_lint.interpret.attributes import bind, find_in_class
from lstm_lint.interpret.budget import bounded
from lstm_lint.interpret.choose import choose, same
from lstm_lint.interpret.classes import instantiate, is_record, symbolic_record
from lstm_lint.interpret.concern import is_beside, is_context_manager
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.functions import call_function, default_of, named_parameters, run_body
from lstm_lint.interpret.library_calls import snapshot
from lstm_lint.interpret.limits import EFFORT_BESIDE, EFFORT_OF_CALLERS, EFFORT_PER_ENTRY
from lstm_lint.interpret.makers import check_makers
from lstm_lint.interpret.methods import CONSTRUCTOR, is_as_written, own_methods
from lstm_lint.interpret.recording import Recorded
from lstm_lint.interpret.setting import Setters, setters
from lstm_lint.interpret.store import Frame, Location, Store, Watch
from lstm_lint.interpret.uses import note_leaving
from lstm_lint.keywords import keywords_named, without
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.proofs.wording import FRESH
from lstm_lint.syntax.outside import changed_later
from lstm_lint.values import Class, Dict, External, Function, Int, Layer, Ref, Tuple, Unknown, Value


def run(it: Interpreter) -> Facts:
    """Interpret the module, then enter every definition that was met: first those that name a layer, while there is budget."""
    module = it.tree.module
    bounded(it, module, "this module", lambda: it.execute(module.body))
    it.path = ONE
    while it.pending or it.pending_last:
        value, frame = (it.pending or it.pending_last).pop(0)
        with it.inside(frame):
            if isinstance(value, Class):
                enter_class(it, value)
            elif isinstance(value, Function) and value.identity not in it.followed:
                enter_function(it, value)
    return it.facts()


def enter_function(
    it: Interpreter, function: Function, store: Store | None = None, effort: int = EFFORT_PER_ENTRY
) -> Value | None:
    """One function body with symbolic arguments, which writes to `store`; what it returns, None if the budget ended it.

    One that has nothing to do with layers is not followed far; nothing is said of it, nor of one with less `effort` than most.
    """
    definition = function.definition
    assert isinstance(definition, cst.FunctionDef)
    results: list[Value] = []

    def body() -> None:
        it.store = it.store.overlay() if store is None else store
        results.append(snapshot(it, call_symbolically(it, function)))

    if is_beside(it, function):
        effort = EFFORT_BESIDE
    bounded(it, definition, f"`{function.name}`", body, _is_own(it, function) and effort == EFFORT_PER_ENTRY, effort)
    return results[0] if results else None


def _is_own(it: Interpreter, function: Function) -> bool:
    return isinstance(function.scope, Frame) and function.scope.tree is it.tree


def call_symbolically(it: Interpreter, function: Function) -> Value:
    """Run a body with a symbol for each parameter that is not bound."""
    definition, scope = function.definition, function.scope
    assert isinstance(definition, cst.FunctionDef) and isinstance(scope, Frame)
    unit = scope.unit if scope.unit is not None else function.identity
    frame = Frame(it.number(), scope, unit, False, function.identity, function.receiver, function.defined_in)
    frame.top = scope.top or function.name
    frame.lends = not (definition.params.params or definition.params.kwonly_params or definition.params.posonly_params)
    it.active.append(function.identity)
    try:
        with it.inside(frame):
            for name, value in symbolic_arguments(it, function):
                it.write((frame.number, name), value)
            result = run_body(it, frame, definition, definition)
            note_leaving(it, "return", snapshot(it, result), definition)
            return result
    finally:
        it.active.pop()


def symbolic_arguments(it: Interpreter, function: Function) -> Iterator[tuple[str, Value]]:
    """(name, symbol) for every parameter of a function."""
    definition = function.definition
    assert isinstance(definition, cst.FunctionDef)
    parameters = definition.params
    ordered = [*parameters.posonly_params, *parameters.params, *parameters.kwonly_params]
    for position, parameter in enumerate(ordered):
        if position == 0 and function.receiver is not None:
            yield parameter.name.value, function.receiver
        else:
            yield parameter.name.value, symbolic_argument(it, function, parameter)
    if isinstance(parameters.star_arg, cst.Param):
        name = parameters.star_arg.name.value
        yield name, _outside(it, function, parameters.star_arg, name, None)
    if parameters.star_kwarg is not None:
        name = parameters.star_kwarg.name.value
        ref = it.new_object("dict")
        given = _outside(it, function, parameters.star_kwarg, keywords_named(name), None)
        it.write((ref.number, "items"), Dict({}, without(given, named_parameters(parameters))))
        yield name, ref


def symbolic_argument(it: Interpreter, function: Function, parameter: cst.Param) -> Value:
    """The symbol for one parameter, with its default; an instance where it is annotated with a config class."""
    default = default_of(it, parameter, function)
    unknown = _outside(it, function, parameter, parameter.name.value, default)
    if parameter.annotation is not None:
        assert isinstance(function.scope, Frame)
        with it.inside(function.scope):
            annotated = it.eval(parameter.annotation.annotation)
        if isinstance(annotated, Class) and is_record(it, annotated):
            return symbolic_record(it, annotated, unknown)
    if isinstance(default, Tuple | Ref | Function | Class):
        return default
    if isinstance(default, External) and default.qualified_name in QUALIFIED:
        return default
    return unknown


def _outside(it: Interpreter, function: Function, node: cst.Param, name: str, default: Value | None) -> Unknown:
    owner = ("signature", function.identity)
    reason = f"`{name}` is a parameter of `{function.name}`: its value comes from outside"
    key = ("parameter", function.identity, name)
    return Unknown(key, name, reason, it.place(node), Kind.CONFIG, default, owner)


# -- classes ---------------------------------------------------------------------------------------------------------
def enter_class(it: Interpreter, cls: Class) -> None:
    """A symbolic instance, then each method of it: what methods leave on ``self`` is there for the others.

    What the constructor asserts of its parameters holds in every method.
    """
    definition = cls.definition
    assert isinstance(definition, cst.ClassDef)
    base = it.store
    path = it.path
    it.store = base.overlay()
    made: list[tuple[Ref, Dim]] = []
    bounded(it, definition, f"the constructor of `{cls.name}`", lambda: made.append(symbolic_instance(it, cls)))
    for instance, built in () if it.is_late else made:
        it.path = it.required = built  # what the constructor insists on holds in every method
        methods = own_methods(it, cls, instance)
        leave_open(it, instance, definition)
        known = collect_attributes(it, instance, methods, setters(it, cls, {method.definition for method in methods}))
        results: list[Value] = []
        calls: list[LstmCall] = []
        for method in methods:
            before = len(it.calls)
            if (visit := known.get(method.definition)) is None:
                result = enter_function(it, method)
            else:
                it.put_back(visit.recorded)
                result = visit.result
            if is_as_written(it, cls, method):
                calls += it.calls[before:]
                results += [] if result is None else [result]
        check_makers(it, instance, results, calls)
    it.store, it.path, it.required = base, path, ONE


def symbolic_instance(it: Interpreter, cls: Class) -> tuple[Ref, Dim]:
    """An instance whose constructor got a symbol for every parameter, and the condition under which there is one."""
    definition = cls.definition
    assert isinstance(definition, cst.ClassDef)
    found = find_in_class(it, cls, CONSTRUCTOR)
    if found is None or not isinstance(found[0], Function):
        reason, place = f"`{cls.name}` is made outside", it.place(definition)
        unknown = Unknown(("instance", cls.identity), cls.name, reason, place, Kind.CONFIG)
        value = symbolic_record(it, cls, unknown) if is_record(it, cls) else _bare(it, cls, definition)
        assert isinstance(value, Ref)
        return value, it.path
    instance = it.new_object("instance")
    it.world.classes[instance.number] = cls
    function, owner = found
    assert isinstance(function, Function)
    call_symbolically(it, bind(function, instance, owner))
    return instance, ONE if it.path == ZERO else it.path


def _bare(it: Interpreter, cls: Class, node: cst.ClassDef) -> Value:
    frame = Frame(it.number(), it.frame, cls.identity, False, lends=False)
    with it.inside(frame):
        reason = f"`{cls.name}` is made outside"
        rest = Unknown(("parameters", cls.identity), "the arguments", reason, it.place(node), Kind.CONFIG)
        return instantiate(it, cls, (), {}, rest, node, call_function)


def leave_open(it: Interpreter, instance: Ref, node: cst.ClassDef) -> None:
    """Attributes that code outside of the class sets: sizes are symbols, anything else may be something else by now."""
    for name in list(it.store.names(instance.number)):
        value = it.read((instance.number, name))
        if name not in it.tree.set_from_outside or value is None or isinstance(value, Layer | Function | Ref):
            continue
        key = ("set outside", instance.number, name)
        outside = Unknown(key, name, f"`{name}` is set outside of the class", it.place(node), Kind.CONFIG)
        was_set = Dim.of(Symbol(key, f"self.{name} was set outside", Kind.FLAG, None, 0, FRESH))
        is_size = isinstance(value, Int)
        it.write((instance.number, name), Int(outside.as_dim()) if is_size else choose(was_set, outside, value))


@dataclass(frozen=True)
class _Visit:
    """One entry of a method: what it returned, what was recorded, and what it asked of the memory before it."""

    result: Value | None
    recorded: Recorded
    watch: Watch


def collect_attributes(
    it: Interpreter, instance: Ref, methods: Sequence[Function], setting: Setters
) -> Mapping[object, _Visit]:
    """Put on the instance what its methods assign to ``self``, each under the condition that the method ran before.

    Those that only call others which assign are not followed far: what these assign is known, though not for those arguments.
    By definition, the visits of those that ask for nothing of what that changes: they need not be entered again.
    """
    base = it.store
    found: dict[str, list[Value]] = {}
    visits: dict[object, _Visit] = {}
    first = [(method, EFFORT_PER_ENTRY) for method in methods if method.definition in setting.by_themselves]
    then = [(method, EFFORT_OF_CALLERS) for method in methods if method.definition in setting.by_others]
    for method, effort in (*first, *then):
        assert isinstance(method.definition, cst.FunctionDef)
        watch, seen = Watch(base), it.recorded()
        layer = Store(watch)
        result = enter_function(it, method, layer, effort)
        if is_context_manager(method.definition):
            result = None  # what it sets before its `yield` is there while a ``with`` runs
        recorded = it.take_back(seen)
        if result is None and effort == EFFORT_OF_CALLERS:
            continue
        visits[method.definition] = _Visit(result, recorded, watch)
        for (owner, name), value in layer.assigned().items():
            if owner == instance.number:
                if result is not None:
                    found.setdefault(name, []).append(value)
            elif base.read((owner, name)) is None:  # lists and objects that the attributes speak of
                base.write((owner, name), value)
        for name in () if result is not None else _set_behind(it, layer, instance):
            lost = f"`{method.name}`, which may set it, is not followed to its end"
            key = ("lost", it.number())
            unknown = Unknown(key, f"self.{name}", lost, it.place(method.definition), Kind.CONFIG)
            found.setdefault(name, []).append(unknown)
    changed: set[Location] = set()
    for name, values in found.items():
        for position, value in enumerate(values):
            old = base.read((instance.number, name))
            if old is None or not same(old, value):
                set_since = value if old is None else choose(_was_set(instance, name, position), value, old)
                base.write((instance.number, name), set_since)
                changed.add((instance.number, name))
    return {key: visit for key, visit in visits.items() if not visit.watch.was_asked(changed)}


def _set_behind(it: Interpreter, left: Store, instance: Ref) -> Iterator[str]:
    """The attributes that a method may have set, or set anew, behind the place where it was left."""
    changed = changed_later(it.tree.source.text, False)
    yield from (name for name in left.names(instance.number) if changed is None or name in changed)


def _was_set(instance: Ref, name: str, position: int) -> Dim:
    """The condition that a method has set an attribute before."""
    key = ("set", instance.number, name, position)
    return Dim.of(Symbol(key, f"self.{name} was set by a method", Kind.FLAG, None, 0, "method"))
