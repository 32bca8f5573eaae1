"""What is wrong with a command line, said in the form of all our errors."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from cyclopts import App
from cyclopts.exceptions import (
    ArgumentOrderError,
    CoercionError,
    ConsumeMultipleError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from underheaven.cli import COMMANDS
from underheaven.errors import CommandError


@contextmanager
def in_our_words(app: App, arguments: Sequence[str]) -> Iterator[None]:
    """Raise CommandError where cyclopts raises its own errors."""
    try:
        yield
    except CycloptsError as error:
        code, text = _told(app, error, arguments)
        raise CommandError.of(code, text) from None


def _told(app: App, error: CycloptsError, arguments: Sequence[str]) -> tuple[str, str]:
    """Return the code and the sentence for an error of cyclopts."""
    command = " ".join(error.command_chain or ())
    if not command and arguments[0].startswith("-"):
        option = arguments[0].split("=", 1)[0]
        if option in ("-v", "-V"):
            return "UH801", f"underheaven has no option {option}; did you mean --version?"
        return "UH801", f"underheaven has no option {option[:40]}; a command comes first: {', '.join(COMMANDS)}"
    if not command:
        if arguments[0].lower() == "version":
            return "UH801", f"there is no command {arguments[0]!r}; did you mean --version?"
        # The first word decides; whatever else cyclopts says of it, there is no such command.
        return "UH801", f"there is no command {arguments[0][:40]!r}; {_mend(arguments[0], list(COMMANDS))}"
    if isinstance(error, UnknownOptionError):
        option = (error.token.keyword or error.token.value).split("=", 1)[0]
        return "UH801", f"{command} has no option {option[:40]}; {_mend(option, _options(app, command))}"
    if isinstance(error, RepeatArgumentError):
        return "UH803", f"{error.token.keyword} stands twice; write it once"
    if isinstance(error, CoercionError) and error.argument is not None:
        name = error.argument.name if error.token is None else error.token.keyword or error.argument.name
        given = "" if error.token is None else error.token.value
        choices = error.argument.get_choices()
        if error.argument.hint is bool:
            return (
                "UH803",
                f"{name.split('=')[0]} is {given[:40]!r}, but takes no value; write it alone, or leave it out",
            )
        mend = _mend(given, choices) if choices else _see_help(command)
        return "UH803", f"{_parameter(name)} is {given[:40]!r}; {mend}"
    if isinstance(error, MissingArgumentError) and not isinstance(error, ConsumeMultipleError):
        assert error.argument is not None
        name = error.keyword or error.argument.name
        if name.startswith("-"):
            return "UH803", f"{name} needs a value; write {name} {error.argument.parameter.metavar or 'VALUE'}"
        what = _parameter(name)
        return "UH803", f"{command} needs {what}: {error.argument.parameter.help}; write underheaven {command} {what}"
    if isinstance(error, (UnusedCliTokensError, ArgumentOrderError)):
        extra = " ".join(error.unused_tokens or ())[:60]
        return (
            "UH803",
            f"{command} does not know what {extra!r} is for; {_see_help(command)}",
        )
    return "UH803", f"{command} cannot be called like this; {_see_help(command)}"


def _see_help(command: str) -> str:
    return f"`underheaven {command} --help` says what it takes"


def _parameter(name: str) -> str:
    return name if name.startswith("-") else name.upper()


def _options(app: App, command: str) -> list[str]:
    arguments = app[command].assemble_argument_collection(default_parameter=app.default_parameter)
    return [name for argument in arguments for name in argument.names if name.startswith("--")]


def _mend(given: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(given.lower().replace("_", "-"), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"write one of {', '.join(known)}"
