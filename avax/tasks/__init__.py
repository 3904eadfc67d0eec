"""Tasks by name."""

from avax.tasks.addition import Addition
from avax.tasks.chain import Chain
from avax.tasks.copy import Copy
from avax.tasks.judged import JudgedAddition
from avax.tasks.multiplication import Multiplication
from avax.tasks.scratchpad import Scratchpad
from avax.tasks.shortcut import Shortcut

TASKS = {
    "addition": Addition(),
    "chain": Chain(),
    "copy": Copy(),
    "judged": JudgedAddition(),
    "multiplication": Multiplication(),
    "scratchpad": Scratchpad(),
    "shortcut": Shortcut(),
}
