"""Results on disk: labelled, with checksums. Imports no JAX."""

from avax.results.checked_json import write_json as write_json
from avax.results.dataset import CONFIG as CONFIG
from avax.results.dataset import OF_BASES as OF_BASES
from avax.results.dataset import PROGRESS as PROGRESS
from avax.results.dataset import PROVENANCE as PROVENANCE
from avax.results.dataset import STORE as STORE
from avax.results.dataset import ResultsError as ResultsError
from avax.results.dataset import fingerprint as fingerprint
from avax.results.dataset import finish as finish
from avax.results.dataset import is_whole as is_whole
from avax.results.dataset import load as load
from avax.results.dataset import one_line as one_line
from avax.results.dataset import save as save
from avax.results.dataset import template as template
from avax.results.dataset import write_store as write_store
