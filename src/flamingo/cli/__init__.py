"""The command `flamingo`, one file per verb."""
