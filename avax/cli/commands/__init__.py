"""What `avax COMMAND` does: a file for each. Importing them imports no JAX."""
