"""What is done with a policy: sampled from, trained, packed into rows, made from nothing."""
