"""From batches to trained weights: objective, update rule, checkpoints, reports (Sec. 2.4)."""
