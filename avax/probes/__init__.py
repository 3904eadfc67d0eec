"""Probes by name."""

from avax.probes.both import Both
from avax.probes.gap import Gap
from avax.probes.overlap import Overlap
from avax.probes.pass_at import PassAt
from avax.probes.self_trust import SelfTrust
from avax.probes.skill import Skill

PROBES = {
    "gap": Gap(),
    "pass_at": PassAt(),
    "overlap": Overlap(),
    "self_trust": SelfTrust(),
    "skill": Skill(),
    "both": Both(Gap(), PassAt()),
}
