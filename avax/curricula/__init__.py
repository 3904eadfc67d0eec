"""Curricula by name."""

from avax.curricula.accelerated import Accelerated
from avax.curricula.fixed import Fixed
from avax.curricula.frontier import Frontier
from avax.curricula.gated import Gated

CURRICULA = {
    "fixed": Fixed(),
    "frontier": Frontier(),
    "gated": Gated(),
    "accelerated": Accelerated(),
}
