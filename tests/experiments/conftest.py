"""What tests that start experiments from the command line have in common."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory, home):
    """Where the runs are started; compiled programs and base policies are shared."""
    folder = tmp_path_factory.mktemp("smoke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVAX_CACHE_DIR", str(home))
        patch.setenv("XLA_FLAGS", "")
        yield folder
