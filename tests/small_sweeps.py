"""Small sweeps that several tests share. Importing them leaves JAX to be configured."""

from __future__ import annotations

from avax.curricula import Fixed
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps.sweep import Sweep
from avax.tasks import Copy
from avax.verifiers import Oracle

BASE = Experiment(
    task=Copy(max_difficulty=2),
    curriculum=Fixed(highest=2),
    verifier=Oracle(),
    learner=FilteredSFT(num_problems=8, num_updates=2, batch_size=8, num_kept=1),
    base_difficulty=1,
    num_rounds=2,
    num_eval=4,
)
PRETRAINING = Pretraining(
    model=TransformerConfig(num_layers=1, num_heads=2, width=16, position="none"),
    num_updates=60,
    batch_size=16,
)
RATES = (0.0, 0.1, 0.3, 0.7, 1.0)
GRID = Sweep(BASE, PRETRAINING, {"verifier.fpr": RATES, "verifier.fnr": RATES})
SMALL = Sweep(
    BASE,
    PRETRAINING,
    {"verifier.fpr": (0.0, 0.5, 1.0), "verifier.fnr": (0.0, 0.5)},
    num_seeds=2,
    seed=3,
    tile_width="4",
)
