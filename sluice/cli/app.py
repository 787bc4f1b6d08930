"""The command `sluice`: a lazy group of verbs, its help, and the edge that turns every exception into one line.

It imports click and the standard library only; a verb's module is imported when the verb is called. `run` is the
command as a function (the demo and the tests use it), `main` the same as a process. Exit codes are those of
docs/exit-codes.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sluice import __version__
from sluice.cli.edge import explain
from sluice.cli.table import BY_NAME, PANELS, VERBS, suggest
from sluice.cli.terminal import Terminal
from sluice.cli.verb import ANYWHERE, Resolved, show_help, words
from sluice.core.errors import SluiceError, Tampered

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MOTTO = "sluice: clean the data, measure the prompt, and only then tune."
ROAD = "init > add > dedup > split > freeze > baseline > train > compare"

JUDGING = ("freeze", "baseline", "grade", "eval", "regress", "compare", "gate", "waive", "plan", "train")
"""Verbs that refuse (3) where they meet tampered evidence; elsewhere it is a finding (1)."""
REFUSED = 3

EXAMPLES = (
    ("sluice audit raw/*.jsonl", "what is in these files? needs no project"),
    ("sluice add tickets raw/*.jsonl", "read them into a dataset; no row is lost in silence"),
    ("sluice compare a.jsonl b.jsonl --kind binary", "did B really beat A? needs no project"),
)
STARTS = (
    ("sluice audit FILES...", "what is in these files?", True),
    ("sluice compare A B", "did B really beat A? (logs, runs)", True),
    ("sluice init", "start a project", False),
    ("sluice demo", "the whole road on sample data, under 10 minutes", False),
)


class NoSuchVerb(click.UsageError):
    """A verb that is not in the table, with the one that may have been meant."""

    def __init__(self, word: str, ctx: click.Context):
        super().__init__(f"no verb is called '{word}'", ctx=ctx)
        near = " or ".join(f"sluice {name}" for name in suggest(word))
        self.remedy = f"{near}  (all verbs: sluice --help)" if near else "sluice --help lists all verbs"


class Front(click.Group):
    """The front door: knows the verbs by name, and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb.name for verb in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in BY_NAME:
            return None
        command = import_module(f"sluice.cli.verbs.{BY_NAME[cmd_name].module}").command
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Resolved:
        if args and not args[0].startswith("-") and args[0] not in BY_NAME:
            raise NoSuchVerb(args[0], ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        width = max(len(command) for command, _ in EXAMPLES)
        lines = [MOTTO, "", *(f"  {command:<{width}}   {remark}" for command, remark in EXAMPLES), ""]
        lines += [f"The road:  {ROAD}", ""]
        for panel in PANELS:
            lines += [panel, *(f"  {verb.name:<13} {verb.help}" for verb in VERBS if verb.panel == panel), ""]
        lines += ["sluice VERB --help    examples for one verb", ANYWHERE + ", --version"]
        return "\n".join(lines)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(verb.name, help=verb.help) for verb in VERBS if verb.name.startswith(incomplete)]


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        out = ctx.ensure_object(Terminal)
        out.say(f"sluice {__version__}")
        out.result = {"version": __version__}
        ctx.exit()


@click.command(cls=Front, name="sluice", invoke_without_command=True, add_help_option=False)
@click.option("-h", "--help", is_flag=True, is_eager=True, expose_value=False, callback=show_help)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
@click.pass_context
def front(ctx: click.Context) -> None:
    """Draw the first screen, or `status` inside a project, where no verb is given."""
    if ctx.invoked_subcommand is not None:
        return
    from sluice.core.project import Project

    if Project.find_or_none(Path.cwd()) is not None:
        status = front.get_command(ctx, "status")
        if status is not None:
            with status.make_context("status", [], parent=ctx) as inner:
                status.invoke(inner)
        return
    _first_screen(ctx.ensure_object(Terminal))


def _first_screen(out: Terminal) -> None:
    out.say(MOTTO)
    out.say()
    out.say("No project here. Where do you want to start?")
    width = max(len(command) for command, _, _ in STARTS)
    for command, remark, free in STARTS:
        note = f"{remark:<36}no project needed" if free else remark
        out.spans([(f"  {command:<{width}}", "bold"), (f"     {note}", None)])
    out.say()
    out.say(f"The road:  {ROAD}")
    out.say()
    out.say("sluice VERB --help    examples for one verb")
    out.say("sluice --help         every verb")
    out.result = {"project": None, "start": [{"command": command, "why": why} for command, why, _ in STARTS]}


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; every exception ends here.

    Args:
        argv: the words after `sluice`.
    """
    args, json, debug = _take_anywhere(argv)
    out = Terminal(json=json, debug=debug, argv=args)
    # Under --json stdout holds one object only: what a library prints goes to stderr.
    with redirect_stdout(sys.stderr) if json else nullcontext():
        try:
            # Not `front.main`: it takes any EOFError for Ctrl-D, any broken pipe for a reader of stdout that has gone.
            with front.make_context("sluice", args, obj=out) as ctx:
                front.invoke(ctx)
        except click.exceptions.Exit as done:  # after --help and --version
            out.exit_code = done.exit_code
        except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001  (the edge)
            _fail(out, error)
    try:
        out.finish()
    except OSError as error:  # stdout goes to a file on a full disk
        out.closed = True
        _fail(out, error)
    except (TypeError, ValueError, RecursionError) as error:  # a result that has no form in JSON
        _fail(out, error)
        out.finish()
    return out.exit_code


def _take_anywhere(argv: Sequence[str]) -> tuple[list[str], bool, bool]:
    """Take `--json` and `--debug` out of a command line, wherever they stand before `--`."""
    end = argv.index("--") if "--" in argv else len(argv)
    flags, literal = argv[:end], argv[end:]
    args = [word for word in flags if word not in ("--json", "--debug")]
    if args and args[0] == "help":  # what a newcomer types
        args = [*args[1:], "--help"]
    return [*args, *literal], "--json" in flags, "--debug" in flags


def _fail(out: Terminal, error: BaseException) -> None:
    """Record a failure, draw its line and, under --debug, the trace."""
    out.progress.clear()
    if out.debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    failure = explain(error, if_interrupted=out.if_interrupted)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        out.verb = words(error.ctx)
    if isinstance(error, Tampered) and (out.verb or "").split(" ")[0] in JUDGING:
        failure = failure._replace(exit=REFUSED)
    out.exit_code, out.failure = failure.exit, failure
    out.result = error.result if isinstance(error, SluiceError) else None
    out.error(failure)


def main() -> NoReturn:
    """Run the process's command line and exit with its code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed (`>&-`): there is nobody to tell, and work to do
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it lives as long as we do
    if not sys.warnoptions and "--debug" not in sys.argv:
        import warnings

        warnings.simplefilter("ignore")  # of libraries below us: nothing that a user could act on
    if "_SLUICE_COMPLETE" in os.environ:  # the shell asks for completions (click's protocol)
        front.main(prog_name="sluice")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # said already, or the reader has gone: the interpreter's own flush shall not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
