"""The cases of `benchmarks.against_peers`, a file for each group that is measured together."""
