"""`avax`, the same as `python -m avax`: runs any experiment, or looks at results.

avax --axes.fpr 0,0.1,1 --num-seeds 4        # as `python experiments/run.py`; see its --help
avax show RESULTS                            # what a folder of results holds
avax samples RESULTS --fpr 0.1               # what a trained policy answers, and its mistakes
avax export RESULTS --csv FILE               # all numbers as one table
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence

import avax
from avax.cli import terminal
from avax.cli.commands import export, samples, show

COMMANDS = {"show": show, "samples": samples, "export": export}


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the arguments ask for, those of this process by default."""
    terminal.print_anything()
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in COMMANDS:
        with until_closed():
            COMMANDS[argv[0]].main(argv[1:])
    elif argv and not argv[0].startswith("-"):
        terminal.fail(f"{argv[0]}: there is no such command; can be {', '.join(COMMANDS)}")
    elif list(argv) == ["--version"]:
        with until_closed():
            print(f"avax {avax.__version__}")
    else:
        run(argv)


@contextlib.contextmanager
def until_closed() -> Iterator[None]:
    """Prints no further, without a word, once nobody reads it any more, as with `| head`."""
    try:
        try:
            yield
        finally:  # also behind --help, which exits
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(argv: Sequence[str]) -> None:
    """Runs an experiment; what it needs is imported here, for the commands start without JAX."""
    started = time.perf_counter()
    from avax.cli import run as config
    from avax.cli import script
    from avax.plotting import overview

    script.main(started, config, overview, argv)


if __name__ == "__main__":
    main()
