"""What the paper holds against its own choices: one setting away (Table 3, App. D of v1)."""
