"""What every other part stands on: errors, records, randomness, devices."""
