"""Official annotation files of benchmarks, read into items."""
