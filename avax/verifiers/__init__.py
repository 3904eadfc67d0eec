"""Verifiers by name."""

from avax.verifiers.accept_all import AcceptAll
from avax.verifiers.majority import MajorityVote
from avax.verifiers.noisy import Noisy
from avax.verifiers.oracle import Oracle

VERIFIERS = {
    "oracle": Oracle(),
    "majority": MajorityVote(),
    "none": AcceptAll(),
    "noisy": Noisy(MajorityVote()),
}
