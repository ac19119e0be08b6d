"""A drawn world, small enough to train a whole Flamingo on in an evening of CPU time."""
