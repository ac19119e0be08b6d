"""What `benchmarks.fuzz_serving` sends to a server, and how the answers are judged."""
