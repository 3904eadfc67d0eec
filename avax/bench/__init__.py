"""What benchmark.py measures, one file for each contestant."""
