"""Wrong labels, put in or let through on purpose."""
