"""From torch's answers to verdicts on findings. Pure: nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lstm_lint.confirm.runner import Answer, Outcome
from lstm_lint.findings import Confirmation, Finding, Probe, Status

NOTHING_TO_ASK = Confirmation(Status.SKIPPED, None, "there is nothing to ask torch")
UNCHECKED = "torch ran it without complaint: it does not check what comes with a PackedSequence"


def with_verdicts(findings: Sequence[Finding], ask: Callable[[list[Probe]], list[Answer]]) -> list[Finding]:
    """The findings, in order, each with its confirmation; `ask` is called once, and only if there is something to ask."""
    probes = [finding.probe for finding in findings if finding.probe is not None]
    answers = iter(ask(probes) if probes else [])
    return [replace(one, confirmation=NOTHING_TO_ASK if one.probe is None else confirmation(next(answers))) for one in findings]


def confirmation(answer: Answer) -> Confirmation:
    """What the answer says about the finding whose probe it is."""
    match answer.outcome:
        case Outcome.RAISED:
            return Confirmation(Status.RAISED, answer.torch, answer.text)
        case Outcome.CRASHED:
            return Confirmation(Status.CRASHED, answer.torch, crashed_detail(answer))
        case Outcome.SILENT:
            return Confirmation(Status.DIFFERS, answer.torch, silent_detail(answer))
        case Outcome.DIFFERS:
            return Confirmation(Status.DIFFERS, answer.torch, answer.text)
        case Outcome.RAN:
            return Confirmation(Status.REFUTED, answer.torch, ran_detail(answer))
        case Outcome.TIMEOUT:
            return Confirmation(Status.SKIPPED, answer.torch, "torch did not answer in time")
        case Outcome.UNUSABLE | Outcome.FAILED | Outcome.NO_TORCH:
            return Confirmation(Status.SKIPPED, answer.torch, answer.text)


def crashed_detail(answer: Answer) -> str:
    """``SIGSEGV: the process died; in a plain batch: RuntimeError: Expected hidden[0] size ...``."""
    return f"{answer.signal}: the process died" + (f"; in a plain batch: {answer.text}" if answer.text else "")


def silent_detail(answer: Answer) -> str:
    """What torch did to a packed call that it should have refused, and what it says to the same tensors in a plain batch."""
    wrong = [
        f"{name} {answer.shapes[name]} instead of {expected}"
        for name, expected in answer.expected.items()
        if answer.shapes.get(name, expected) != expected
    ]
    parts = [f"{UNCHECKED}; in a plain batch: {answer.text}"]
    if wrong:
        parts.append(f"it returned {', '.join(wrong)}")
    elif answer.number == 0:
        parts.append("it took the state's first rows and ignored the rest (largest difference 0)")
    elif answer.number is not None:
        parts.append(f"its output is up to {answer.number:.3g} away from what the state's first rows give")
    if answer.varied:
        parts.append(f"where lengths differ: {answer.varied}" if answer.varied != "ran" else "so it does where lengths differ")
    return "; ".join(parts)


def ran_detail(answer: Answer) -> str:
    """``torch ran it: output (10, 3, 8), h_n (4, 10, 4)``; of an experiment, what it showed."""
    if answer.text:
        return f"torch ran it: {answer.text}"
    shapes = ", ".join(f"{name} {shape}" for name, shape in answer.shapes.items())
    return f"torch ran it: {shapes}" if shapes else "torch built it"


def compare_shapes(probe: Probe, answer: Answer) -> str | None:
    """How torch contradicts a call that was judged right, for ``--confirm always``: a defect of the tool. None if it does not.

    A probe that could not be asked contradicts nothing.
    """
    match answer.outcome:
        case Outcome.RAN:
            wrong = [
                f"{name}: inferred {tuple(shape)}, torch returned {answer.shapes[name]}"
                for name, shape in probe.expect.items()
                if name in answer.shapes and tuple(shape) != answer.shapes[name]
            ]
            return "; ".join(wrong) or None
        case Outcome.RAISED | Outcome.SILENT:
            return f"judged right, but torch says: {answer.text}"
        case Outcome.CRASHED:
            return f"judged right, but torch says: {crashed_detail(answer)}"
        case _:
            return None
