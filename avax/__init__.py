"""Self-training of tiny transformers as one compiled JAX loop: when it compounds or collapses."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avax import curricula, learners, probes, tasks, verifiers
    from avax.engine.api import run
    from avax.engine.kept import load_bases, load_policies
    from avax.engine.merge import merge
    from avax.fields import ConfigError
    from avax.loop import Experiment
    from avax.models.transformer import TransformerConfig
    from avax.policies.pretrain import Pretraining
    from avax.policies.samples import samples
    from avax.results import ResultsError, load
    from avax.sweeps import controls
    from avax.sweeps.defaults import experiment
    from avax.sweeps.sweep import Sweep

__version__ = "0.1.0"
__all__ = [
    "ConfigError", "Experiment", "Pretraining", "ResultsError", "Sweep", "TransformerConfig",
    "controls", "curricula", "experiment", "learners", "load", "load_bases", "load_policies",
    "merge", "probes", "run", "samples", "tasks", "verifiers",
]  # fmt: skip

# Imported when they are asked for: to look at results needs no JAX, whose import takes a second.
_WHERE = {
    "ConfigError": "avax.fields",
    "Experiment": "avax.loop",
    "Pretraining": "avax.policies.pretrain",
    "ResultsError": "avax.results",
    "Sweep": "avax.sweeps.sweep",
    "TransformerConfig": "avax.models.transformer",
    "experiment": "avax.sweeps.defaults",
    "load": "avax.results",
    "load_bases": "avax.engine.kept",
    "load_policies": "avax.engine.kept",
    "merge": "avax.engine.merge",
    "run": "avax.engine.api",
    "samples": "avax.policies.samples",
}
_MODULES = {"controls": "avax.sweeps.controls"}  # the others stand where they are called


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    if name in __all__:
        return importlib.import_module(_MODULES.get(name, f"avax.{name}"))
    raise AttributeError(f"module 'avax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
