"""The paper's benchmarks from their official files, as data."""
