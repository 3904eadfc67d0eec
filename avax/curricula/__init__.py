"""Curricula by name."""

from avax.curricula.accelerated import Accelerated
from avax.curricula.bucket import Bucket
from avax.curricula.fixed import Fixed
from avax.curricula.frontier import Frontier

CURRICULA = {
    "fixed": Fixed(),
    "frontier": Frontier(),
    "accelerated": Accelerated(),
    "bucket": Bucket(Fixed()),
}
