"""Reading and writing weights, ours and those of other projects."""
