"""Tasks by name."""

from avax.tasks.addition import Addition

TASKS = {"addition": Addition()}
