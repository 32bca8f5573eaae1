"""The command line: parse arguments, call one function, print.

The first page and the version come without importing anything heavy.  What a command does stands in
`underheaven.cli.commands`; this file turns every outcome into an exit code: 0 done, 2 the user's mistake,
1 a failed run, 130 stopped.  Data go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, TextIO

from underheaven import __version__

if TYPE_CHECKING:
    from underheaven.errors import UnderheavenError

#: What there is to do; the order of the first page.
COMMANDS = {
    "run": "live a regime in a world and write a run folder with its report",
    "compare": "live the same people under several regimes and show what changes",
    "life": "live one life of a stored run again, day by day",
    "diff": "name the first citizen, day and rule in which two runs part",
    "panel": "write citizens x days of a run, belief and truth side by side",
    "survey": "ask some people of a stored run, and hold their answers against what they think",
    "report": "write the report of a stored run again",
    "list": "name the regimes, reforms, roll-outs and worlds of the catalogue",
    "show": "read a regime or a world as a page",
    "cite": "print every number of a regime or a world with its source",
}

_WELCOME = f"""\
Underheaven {__version__}: what does a social scoring system do to the people
who live under it?
It simulates people who do not exist. Three ways to begin:

  underheaven run press-2018 --world town --days 90
      ten thousand people, three months: a minute
  underheaven show judgment-defaulters
      what a regime says, rule by rule
  underheaven cite press-2018
      where each of its numbers comes from

`underheaven --help` names all commands.
"""

_HELP = """\
Usage: underheaven COMMAND ...

Simulate social scoring systems and measure what they do to the people who live
under them.

{commands}

  --version    print the version
  --help       this page; `underheaven COMMAND --help` says what a command takes

A regime or a world is a name of the catalogue (`underheaven list`) or a path to
a .yaml file.
Exit: 0 done, 2 a mistake in the command or a file, 1 a failed run, 130 stopped
(go on with --resume).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : without the name of the program; None: those of the process

    Returns
    -------
    int : exit code
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows a question mark
    try:
        code = _main(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # `underheaven cite ... | head`: whoever reads has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # Errors of files are told where they happen; what is left is that the answer could not be printed.
        print(f"error: the output could not be written ({error.strerror or error}) [UH705]", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _main(given: list[str]) -> int:
    if not given:
        print(_WELCOME, end="")
        return 0
    if given[0] == "help":
        given = [*given[1:], "--help"]
    is_about_all = all(word.startswith("-") for word in given)
    if is_about_all and {"--help", "-h"} & set(given):
        rows = [fill(f"  {name:<12} {text}", 80, subsequent_indent=" " * 15) for name, text in COMMANDS.items()]
        print(_HELP.format(commands="\n".join(rows)), end="")
        return 0
    if is_about_all and "--version" in given:
        print(__version__)
        return 0

    from underheaven.errors import Finding, RunError, UnderheavenError

    try:
        from underheaven.cli.commands import execute

        return execute(given)
    except UnderheavenError as error:
        return _fail(error, given)
    except MemoryError:
        text = "there is not enough memory for so many people; write a smaller --people"
        return _fail(RunError([Finding("UH902", None, text)]), given)


def _fail(error: UnderheavenError, given: list[str]) -> int:
    """Print what is wrong, on stdout as JSON if that was asked for, and return the exit code."""
    from underheaven.errors import Interrupted

    if isinstance(error, Interrupted):
        import shlex

        again = [argument for argument in given if argument != "--resume"]
        command = shlex.join(["underheaven", *again, "--resume"])
        if "--json" in given:
            _print_json({**error.as_dict(), "day": error.day, "days": error.days, "resume": command})
        print(f"stopped after day {error.day} of {error.days}; go on with\n  {command}", file=sys.stderr)
        return error.exit_code
    if "--json" in given:
        _print_json(error.as_dict())
        return error.exit_code
    is_plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
    head = "error:" if is_plain else "\x1b[1;31merror:\x1b[0m"
    for finding in error.findings:
        print(head + finding.fitted(_width(sys.stderr), "error: ").removeprefix("error:"), file=sys.stderr)
    return error.exit_code


def _width(stream: TextIO) -> int:
    """Return how many columns a stream has; 80 if it is no terminal and COLUMNS does not say."""
    from underheaven.errors import WIDTH

    asked = os.environ.get("COLUMNS", "")
    try:
        width = int(asked) if asked.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = 0
    return max(width, 40) if width else WIDTH


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, sort_keys=True, ensure_ascii=False))
