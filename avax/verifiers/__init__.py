"""Verifiers by name."""

from avax.verifiers.accept_all import AcceptAll
from avax.verifiers.certainty import Certainty
from avax.verifiers.commit_first import CommitFirst
from avax.verifiers.commutative import Commutative
from avax.verifiers.comparison import Comparison
from avax.verifiers.cross_model import CrossModel
from avax.verifiers.has_form import HasForm
from avax.verifiers.has_token import HasToken
from avax.verifiers.hashed import Hashed
from avax.verifiers.learned import Learned
from avax.verifiers.length import RelativeLength
from avax.verifiers.likelihood import Likelihood
from avax.verifiers.majority import MajorityVote
from avax.verifiers.noisy import Noisy
from avax.verifiers.oracle import Oracle
from avax.verifiers.pair import AllOf, AnyOf
from avax.verifiers.placebo import Placebo
from avax.verifiers.recipient_shuffle import RecipientShuffle
from avax.verifiers.self_evaluation import SelfEvaluation
from avax.verifiers.step_oracle import StepOracle
from avax.verifiers.systematic import Systematic

VERIFIERS = {
    "oracle": Oracle(),
    "step_oracle": StepOracle(),
    "hashed": Hashed(),
    "systematic": Systematic(),
    "majority": MajorityVote(),
    "none": AcceptAll(),
    "commutative": Commutative(),
    "cross_model": CrossModel(),
    "learned": Learned(),
    "length": RelativeLength(),
    "likelihood": Likelihood(),
    "certainty": Certainty(),
    "has_form": HasForm(),
    "has_token": HasToken(),
    "comparison": Comparison(),
    "commit_first": CommitFirst(),
    "self_evaluation": SelfEvaluation(),
    "noisy": Noisy(MajorityVote()),
    "all_of": AllOf(MajorityVote(), Commutative()),
    "any_of": AnyOf(MajorityVote(), Commutative()),
    "placebo": Placebo(Oracle()),
    "recipient_shuffle": RecipientShuffle(Systematic()),
}
