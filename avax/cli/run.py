"""Any experiment: what becomes of self-training with these plug-ins, at these numbers?

    python experiments/run.py                                           # the main job's loop, once
    python experiments/run.py --axes.fpr 0,0.03,0.1,1 --num-seeds 4     # at four error rates
    python experiments/run.py --axes.verifier none,length,oracle        # behind three verifiers

Of results, `avax show RESULTS` says what they hold, `avax samples RESULTS` shows answers of trained
policies, `avax export RESULTS --csv FILE` writes all numbers. Each has a --help.

Every plug-in goes by its name, at any depth (`--base.verifier noisy --base.verifier.inner length`);
every number and every plug-in can be an axis, or several with commas. `python -m avax` is the same.

Expect: a figure of how the policy fares on the lengths that its base knows and on longer ones, from
round to round, beside the untouched base; and what the verifier let through.
"""

from __future__ import annotations

import dataclasses

from avax.sweeps import defaults
from avax.sweeps.sweep import Sweep

CHOICES = {"preset": ("laptop", "smoke", "paper")}
NEEDS = None  # the figure takes whatever was run


def build(preset: str) -> Sweep:
    """One setting, the main job's with a perfect verifier; axes and all else come from flags.

    All bases are admitted: what another task's know is said, and nothing is known of it before.
    """
    return dataclasses.replace(defaults.PRESETS[preset](), base_criterion=0.0)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The sweep alone."""
    return {"": sweep}
