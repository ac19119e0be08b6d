"""Speed and memory, measured: against peers, and against what is planned."""
