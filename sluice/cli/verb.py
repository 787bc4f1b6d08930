"""What a verb file is made with: `verb`, `verb_group`, the options that many share, and `find_project`.

A verb file parses, calls the library function of the same name, draws its result with `out` and returns it::

    @verb(examples=["sluice ls", "sluice ls tickets    all versions of one dataset"])
    @click.argument("name", required=False)
    def command(out: Terminal, name: str | None):
        \"\"\"Show the datasets of this project, or all versions of one.\"\"\"
        from sluice.curate.dataset import list_datasets

        listing = list_datasets(find_project(), name)
        out.table(("name", "version", "rows"), [(d.name, d.version, d.rows) for d in listing.datasets])
        return listing

What is returned (a pydantic model, a dataclass, a dict, None) is `result` of the `--json` envelope. For a verdict code
set `out.exit_code`; for a failure raise a SluiceError, or draw it and call `out.failed(error)`. `--json`, `--debug` and
`--help` are taken anywhere on the line by `sluice.cli.app` and never declared. Nothing heavy is imported at a verb
file's top.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sluice.cli.terminal import Terminal

if TYPE_CHECKING:
    from sluice.core.project import Project

F = TypeVar("F", bound=Callable[..., Any])

Resolved = tuple[str | None, click.Command | None, list[str]]


class _Path(click.Path):
    """A path; the empty one, of a shell variable that is not set, would be the folder one is in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("a file has no name: ''. Name it; '.' is the folder you are in", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(readable=False)
"""A path as it is typed. What it leads to is looked at where it is opened: a file that may not be read is exit 5."""

ANYWHERE = "Anywhere: --json (one object), --debug (the trace of an error), --help"


class _Helpful:
    """Help with the examples in front of the options, and under --json as a result."""

    examples: Sequence[str]
    exits: Mapping[int, str]
    _help: click.Option | None = None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)  # type: ignore[attr-defined]
        self.format_help_text(ctx, formatter)  # type: ignore[attr-defined]
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        self.format_options(ctx, formatter)  # type: ignore[attr-defined]
        if self.exits:
            with formatter.section("Exit codes, beside 0, 2, 5, 70 and 130"):
                formatter.write_dl([(str(code), meaning) for code, meaning in sorted(self.exits.items())])
        formatter.write(f"\n{ANYWHERE}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        if self._help is None:
            self._help = click.Option(
                ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, hidden=True, callback=show_help
            )
        return self._help


def show_help(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Draw the help of the command that is being parsed and stop; under --json it is the result."""
    if not value or ctx.resilient_parsing:
        return
    out = ctx.ensure_object(Terminal)
    out.verb = words(ctx)
    out.say(ctx.get_help())
    out.result = {"help": ctx.get_help()}
    ctx.exit()


class VerbCommand(_Helpful, click.Command):
    """A verb; made by `verb`."""


class VerbGroup(_Helpful, click.Group):
    """A verb with verbs of its own below it; made by `verb_group`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Resolved:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"no '{args[0]}' here, only: {', '.join(self.list_commands(ctx))}", ctx=ctx)
        return super().resolve_command(ctx, args)


def words(ctx: click.Context) -> str | None:
    """Return the words of the verb that `ctx` belongs to ("train sft"), or None at the front door."""
    names: list[str] = []
    step: click.Context | None = ctx
    while step is not None and step.parent is not None:
        names.insert(0, step.info_name or "")
        step = step.parent
    return " ".join(names) or None


def _running(function: Callable[..., Any], skip_for_subcommand: bool) -> Callable[..., None]:
    """Wrap a verb's function: hand it the terminal, and keep what it returns as the result."""

    @wraps(function)
    def run(*args: Any, **options: Any) -> None:
        ctx = click.get_current_context()
        if skip_for_subcommand and ctx.invoked_subcommand is not None:
            return
        out = ctx.ensure_object(Terminal)
        out.verb = words(ctx)
        out.result = function(out, *args, **options)
        _warn_of_changed_dev(out)

    return run


def _warn_of_changed_dev(out: Terminal) -> None:
    """Say what it costs where a verb has changed the dev rows: one rule for all verbs (`sluice.curate.measured`)."""
    name = getattr(out.result, "dataset", None)
    if not getattr(out.result, "changed", False) or not isinstance(name, str):
        return
    parts = [part.name for part in getattr(out.result, "parts", ()) if not isinstance(part, str) and part.new]
    changed = next((one for one in (name, *parts) if one.endswith("/dev")), None)
    if changed is not None:
        from sluice.core.project import Project
        from sluice.curate.measured import owed_again

        project = Project.find_or_none(Path.cwd())
        if project is not None and (said := owed_again(project, changed)):
            out.warn(said)


def verb(
    *,
    examples: Sequence[str],
    exits: Mapping[int, str] | None = None,
    name: str | None = None,
    group: click.Group | None = None,
) -> Callable[[Callable[..., Any]], VerbCommand]:
    """Make a function `f(out, **options)` with a docstring into a verb; stands above click's own decorators.

    Args:
        examples: command lines as a user types them, each starting with `sluice`, a remark after two blanks if wanted.
        exits: exit codes beyond the common ones (0, 2, 5, 70, 130) and what they mean for this verb.
        name: the word, where it is not the file's name: for subcommands.
        group: the group that the verb stands below.
    """

    def make(function: Callable[..., Any]) -> VerbCommand:
        command = click.command(name=name or "verb", cls=VerbCommand)(_running(function, False))
        command.examples, command.exits = tuple(examples), dict(exits or {})
        if group is not None:
            group.add_command(command, name)
        return command

    return make


def verb_group(
    *, examples: Sequence[str], exits: Mapping[int, str] | None = None, bare: bool = False
) -> Callable[[Callable[..., Any]], VerbGroup]:
    """Make a function with a docstring into a verb that has verbs below it.

    Args:
        examples: as for `verb`.
        exits: as for `verb`.
        bare: whether the verb does something without a subcommand; then the function is called like a verb's, and its
            own options stand before the subcommand.
    """

    def make(function: Callable[..., Any]) -> VerbGroup:
        def list_subcommands(out: Terminal, **_options: Any) -> None:
            ctx = click.get_current_context()
            raise click.UsageError(f"one of these has to follow: {', '.join(command.list_commands(ctx))}", ctx=ctx)

        chosen = function if bare else wraps(function)(list_subcommands)
        command = click.group(cls=VerbGroup, invoke_without_command=True)(_running(chosen, True))
        command.examples, command.exits = tuple(examples), dict(exits or {})
        return command

    return make


def yes_option(function: F) -> F:
    """Add `--yes`: agree beforehand to what the verb would ask (`yes: bool`, for `out.confirm`)."""
    return click.option("--yes", "-y", is_flag=True, help="Agree beforehand; needed without a terminal.")(function)


def dry_run_option(function: F) -> F:
    """Add `--dry-run`: say what would be done and do nothing (`dry_run: bool`)."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")(function)


def typed_again() -> str:
    """Return the command line that is being run without its --dry-run: the one to type next."""
    words = [word for word in click.get_current_context().find_object(Terminal).argv if word != "--dry-run"]  # type: ignore[union-attr]
    return shlex.join(["sluice", *words])


def by_option(function: F) -> F:
    """Add `--by NAME`: who decides this (`by: str | None`, for `out.who`)."""
    return click.option("--by", metavar="NAME", help="Who decides this; needed without a terminal.")(function)


def find_project() -> Project:
    """Return the project around the current folder.

    Raises:
        InputError: there is none; the remedy is `sluice init`.
    """
    from sluice.core.project import Project

    return Project.find(Path.cwd())
