"""Tasks by name."""

from avax.tasks.addition import Addition
from avax.tasks.copy import Copy
from avax.tasks.multiplication import Multiplication

TASKS = {"addition": Addition(), "copy": Copy(), "multiplication": Multiplication()}
