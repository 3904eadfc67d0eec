"""How many runs happen: sweeps, tiles on devices, checkpoints, progress."""

import gc

# By default garbage is looked for so often that it takes a sixth of the time in which JAX is
# imported and programs are traced.
gc.set_threshold(100_000, 50, 100)
