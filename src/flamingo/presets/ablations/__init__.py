"""The paper's ablation table in small: every row is a few settings away from the miniature."""
