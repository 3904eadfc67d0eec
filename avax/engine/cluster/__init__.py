"""More than one process or machine."""
