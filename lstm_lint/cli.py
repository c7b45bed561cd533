"""The command line: options in, pipeline, reporter out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

import click

from lstm_lint import __version__, apply, calc, report
from lstm_lint.check import Outcome, check_paths, shapes_paths
from lstm_lint.config import ConfigError, Settings, describe, load, override
from lstm_lint.config_keys import CONFIRM, OUTPUT_FORMATS, Unusable, known_prefix
from lstm_lint.discover import STDIN, Unreadable, decode, missing, read_source
from lstm_lint.findings import Severity
from lstm_lint.report import outline, statistics
from lstm_lint.report.lines import Line, View, line, location
from lstm_lint.rules import RULES
from lstm_lint.source import Source

Function = TypeVar("Function", bound=Callable[..., Any])

FOUND, FAILED, INTERRUPTED = 1, 2, 130


class Misuse(click.ClickException):
    """The tool was asked for something it cannot do."""

    exit_code = FAILED


class DefaultsToCheck(click.Group):
    """``lstm-lint PATHS`` is ``lstm-lint check PATHS``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            guess = get_close_matches(args[0], self.commands, 1)
            if guess and not os.path.exists(args[0]):
                raise click.UsageError(f"there is no file or command {args[0]!r}; did you mean {guess[0]!r}?", ctx)
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=DefaultsToCheck, context_settings={"help_option_names": ["--help", "-h"]})
@click.version_option(__version__, message="lstm-lint %(version)s")
def app() -> None:
    """Finds wrong nn.LSTM state shapes in PyTorch code without running it, and has torch confirm them.

    lstm-lint PATHS is short for lstm-lint check PATHS.
    """


# -- options that several commands have --------------------------------------------------------------------------------
def _listed(ctx: click.Context, option: click.Parameter, value: Sequence[str]) -> list[str] | None:
    """``--select LST1,LST2 --select LST3`` as one list; None if it was not given."""
    del ctx, option
    return [item.strip() for text in value for item in text.split(",") if item.strip()] if value else None


def _list_option(*names: str, help: str) -> Callable[[Function], Function]:
    return click.option(*names, multiple=True, callback=_listed, help=help)


SHARED: tuple[Callable[[Any], Any], ...] = (
    click.argument("paths", nargs=-1, type=click.Path()),
    click.option("--config", metavar="FILE", help="Take the settings from this file."),
    click.option("--isolated", is_flag=True, help="Take no settings from any file."),
    _list_option("--exclude", help="Patterns of paths to leave out, instead of the usual ones."),
    _list_option("--extend-exclude", help="Patterns of paths to leave out too."),
    click.option("--force-exclude/--no-force-exclude", default=None, help="Leave out even what is named on the command line."),
    click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Leave out what git ignores."),
    click.option("--cache/--no-cache", default=None, help="Keep results for the next run."),
    click.option("--cache-dir", metavar="FOLDER", help="Where to keep them."),
    click.option("--output-file", "-o", metavar="FILE", help="Write there instead of to standard output."),
)
"""The options of every command that reads files, in the order of the help text."""

CHECKING: tuple[Callable[[Any], Any], ...] = (
    _list_option("--select", help="Codes, or prefixes of codes, to report; ALL for every rule."),
    _list_option("--ignore", help="Codes, or prefixes of codes, not to report."),
    _list_option("--extend-select", help="Codes to report besides the selected ones."),
    click.option("--output-format", type=click.Choice(OUTPUT_FORMATS), help="How to show what is found."),
    click.option("--confirm", type=click.Choice(CONFIRM), help="Ask torch about findings, about every call too, or never."),
    click.option("--torch-python", metavar="PYTHON", help="The Python whose torch is asked."),
    click.option("--stdin-filename", metavar="NAME", help="What to call standard input, which is read for the path -."),
    click.option("--statistics", "wants_statistics", is_flag=True, help="Count what is found by rule."),
    click.option("--fix", "wants_fix", is_flag=True, help="Apply the fixes that are safe, and show what is left."),
    click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: those too that change what the code does."),
    click.option("--diff", "wants_diff", is_flag=True, help="Show what --fix would change, and write nothing."),
    click.option("--exit-zero", is_flag=True, help="End with 0 even if something is found."),
    click.option("--show-settings", is_flag=True, help="Show the settings in effect, and check nothing."),
    click.option("--verbose", "-v", is_flag=True, help="Show too what torch refuted, and why it was not asked."),
    click.option("--quiet", "-q", is_flag=True, help="Show findings and nothing else."),
)


def _with(options: Sequence[Callable[[Any], Any]]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _settings(paths: Sequence[str], config: str | None, isolated: bool, options: dict[str, Any]) -> Settings:
    try:
        return override(load(paths, config, isolated), options)
    except ConfigError as error:
        raise Misuse(str(error)) from None


# -- check -------------------------------------------------------------------------------------------------------------
@app.command()
@_with((*SHARED, *CHECKING))
def check(
    paths: tuple[str, ...],
    config: str | None,
    isolated: bool,
    output_file: str | None,
    stdin_filename: str | None,
    wants_statistics: bool,
    wants_fix: bool,
    unsafe_fixes: bool,
    wants_diff: bool,
    exit_zero: bool,
    show_settings: bool,
    verbose: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Check Python files, notebooks and folders (by default the current one).

    Ends with 1 if something was found (and is not fixed; with --diff: if something would be), with 2 if it failed.
    """
    paths = paths or ((STDIN,) if stdin_filename is not None else (os.curdir,))
    given: Source | None = None
    data = b""
    reads_stdin = STDIN in paths
    if reads_stdin:
        paths = _stdin_path(paths, stdin_filename)
    settings = _settings(paths, config, isolated, options)
    if show_settings:
        return _write((line(text) for text in describe(settings)), output_file)
    if reads_stdin:
        data = sys.stdin.buffer.read()
        given = _readable(paths[0], data)
    if wants_diff:
        fixed = apply.fix_paths(paths, settings, unsafe_fixes, None if given is None else (given, data))
        return _show_difference(fixed, unsafe_fixes, output_file, exit_zero, quiet)
    if wants_fix:
        fixed = apply.fix_paths(paths, settings, unsafe_fixes, None if given is None else (given, data))
        outcome = _write_fixes(fixed, given is not None)
        if given is not None:
            data = fixed.changed[0].after if fixed.changed else data
            sys.stdout.buffer.write(data)
            given = _readable(paths[0], data)
    else:
        outcome = check_paths(paths, settings, given)
    shown = View(_source_reader(given), verbose, quiet, unsafe_fixes)
    rows = _report(outcome, settings.output_format, shown, wants_statistics)
    if wants_fix and given is not None and output_file is None:  # standard output has the text
        report.write(rows, sys.stderr, color=False)
    else:
        _write(rows, output_file)
    return _exit_code(outcome, exit_zero)


def _write_fixes(fixed: apply.Fixed, to_stdout: bool) -> Outcome:
    """Writes the files that were fixed, unless the text is standard input's; what is left, and what could not be written."""
    troubles = [] if to_stdout else [trouble for one in fixed.changed if (trouble := apply.written(one)) is not None]
    return replace(fixed.outcome, failures=(*fixed.outcome.failures, *troubles), fixed=fixed.count)


def _show_difference(fixed: apply.Fixed, unsafe: bool, output_file: str | None, exit_zero: bool, quiet: bool) -> int:
    """What would change, as ruff shows it: the difference, how much it would fix, and 1 if there is any."""
    rows = (row.rstrip("\n") for changed in fixed.changed for row in apply.difference(changed))
    _write((line(row) for row in rows), output_file)
    wanted, others = fixed.outcome.left_to_fix(unsafe)
    if not quiet:
        more = f" ({others} more with --unsafe-fixes)" if others else ""
        more += f"; {wanted} not applied, since something would be wrong afterwards" if wanted else ""
        click.echo(f"Would fix {fixed.count} of {fixed.count + len(fixed.outcome.findings)} findings{more}.", err=True)
    for failure in fixed.outcome.failures:
        click.echo(f"lstm-lint: {failure}", err=True)
    return FAILED if fixed.outcome.failures else FOUND if fixed.changed and not exit_zero else 0


def _stdin_path(paths: tuple[str, ...], name: str | None) -> tuple[str, ...]:
    if len(paths) > 1:
        raise click.UsageError("standard input (-) is checked alone, without other paths")
    return (name or STDIN,)


def _readable(name: str, data: bytes) -> Source:
    source = decode(name, data)
    if isinstance(source, Unreadable):
        raise Misuse(f"{location(name, source.span)}: {source.message}")
    return source


def _source_reader(given: Source | None) -> Callable[[str], Source | None]:
    """How a report gets at the text that a finding stands in."""

    @lru_cache(maxsize=8)
    def read(path: str) -> Source | None:
        source = given if given is not None and path == given.path else read_source(path)
        return None if isinstance(source, Unreadable) else source

    return read


def _report(outcome: Outcome, output_format: str, view: View, wants_statistics: bool) -> Iterable[Line]:
    if wants_statistics:
        return statistics.as_json(outcome) if output_format == "json" else statistics.text(outcome)
    return report.FORMATS[output_format](outcome, view)


def _exit_code(outcome: Outcome, exit_zero: bool) -> int:
    for failure in outcome.failures:
        click.echo(f"lstm-lint: {failure}", err=True)
    for defect in outcome.defects:
        click.echo(f"lstm-lint: defect of lstm-lint, please report it: {defect}", err=True)
    if outcome.failures or outcome.defects:
        return FAILED
    found = any(finding.severity is not Severity.INFO for finding in outcome.findings)
    return FOUND if found and not exit_zero else 0


# -- the other commands ------------------------------------------------------------------------------------------------
@app.command()
@_with(SHARED)
@click.option("--output-format", "layout", type=click.Choice(("text", "json")), default="text", help="How to show it.")
def shapes(
    paths: tuple[str, ...], config: str | None, isolated: bool, output_file: str | None, layout: str, **options: Any
) -> int:
    """Show every recurrent layer and every call of one in Python files and notebooks, with the shapes that were inferred."""
    paths = paths or (os.curdir,)
    settings = _settings(paths, config, isolated, options)
    listing, unreadable = shapes_paths(paths, settings)
    _write(outline.as_json(listing) if layout == "json" else outline.text(listing), output_file)
    for finding in unreadable:
        click.echo(f"lstm-lint: {location(finding.path, finding.span)}: {finding.message}", err=True)
    failures = missing(paths)
    for failure in failures:
        click.echo(f"lstm-lint: {failure}", err=True)
    return FAILED if failures else FOUND if unreadable else 0


@app.command("calc")
@click.option("--layer", type=click.Choice(calc.LAYERS), default="LSTM", show_default=True)
@click.option("--input-size", default="input_size", help="A number, or a name to calculate with.")
@click.option("--hidden-size", default="hidden_size", help="A number or a name, as all sizes.")
@click.option("--num-layers", default="1", show_default=True)
@click.option("--proj-size", default="0", show_default=True)
@click.option("--bidirectional", is_flag=True)
@click.option("--batch-first", is_flag=True)
@click.option("--no-bias", is_flag=True)
@click.option("--batch", default="N", show_default=True)
@click.option("--sequence", default="T", show_default=True)
@click.option("--unbatched", is_flag=True, help="For an input without a batch dimension.")
@click.option("--output-format", "layout", type=click.Choice(("text", "json")), default="text", help="How to show it.")
def calculate(layout: str, **options: Any) -> int:
    """Show the shapes of one layer's input, state, output and weights, in numbers or in names."""
    try:
        result = calc.calculate(calc.Question(**options))
    except calc.NoLayer as error:
        raise Misuse(str(error)) from None
    return _write(calc.as_json(result) if layout == "json" else calc.text(result), None)


@app.command()
@click.argument("code", required=False)
@click.option("--all", "wants_all", is_flag=True, help="Show the page of every rule.")
def rule(code: str | None, wants_all: bool) -> int:
    """Show the page of a rule: what it finds, why that is wrong, and what to write instead."""
    if wants_all == (code is not None):
        raise click.UsageError("give the code of a rule, or --all")
    pages: list[Line] = []
    for known in RULES if code is None else [_rule_code(code)]:
        found = RULES[known]
        title = f"{found.code} {found.name} ({found.severity.value}{'' if found.default else ', off by default'})"
        pages += [line((title, "code")), line(), *(line(text) for text in found.page.strip().splitlines()), line()]
    return _write(pages, None)


def _rule_code(text: str) -> str:
    """The code of a rule, given by code or by name."""
    by_name = {known.name: code for code, known in RULES.items()}
    try:
        code = by_name.get(text) or known_prefix(text)
    except Unusable as error:
        raise Misuse(str(error)) from None
    if code not in RULES:
        raise Misuse(f"{text} stands for several rules: {', '.join(known for known in RULES if known.startswith(code))}")
    return code


# -- output ------------------------------------------------------------------------------------------------------------
def _write(lines: Iterable[Line], output_file: str | None) -> int:
    """Writes to the file or to standard output, and returns 0."""
    if output_file is None:
        report.write(lines, sys.stdout, wants_color())
        return 0
    try:
        with open(output_file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            report.write(lines, stream, color=False)
    except OSError as error:
        raise Misuse(f"{output_file}: {(error.strerror or str(error)).lower()}") from None
    return 0


def wants_color() -> bool:
    """Colours are for terminals, unless NO_COLOR or FORCE_COLOR say otherwise (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def main() -> None:
    """The command. A reader that stops reading, and Ctrl-C, end it quietly."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # replaced by something that is no text file
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = app.main(prog_name="lstm-lint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("lstm-lint: interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
