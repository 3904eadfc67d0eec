"""`avax COMMAND`: looks at finished results. The same as `python -m avax`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import avax
from avax.cli import terminal
from avax.cli.commands import export, samples, show

COMMANDS = {"show": show, "samples": samples, "export": export}


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the arguments ask for, those of this process by default."""
    terminal.print_anything()
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in COMMANDS:
        COMMANDS[argv[0]].main(argv[1:])
    else:
        no_command(argv)


def no_command(argv: Sequence[str]) -> None:
    """What is done with arguments that begin with no command: this is the place of a runner of
    experiments. Without one: help, version, or a line that lists the commands.
    """
    parser = terminal.Parser(prog="avax", description=avax.__doc__)
    parser.add_argument("--version", action="version", version=f"avax {avax.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.ABOUT)
    parser.parse_args(argv)


if __name__ == "__main__":
    main()
