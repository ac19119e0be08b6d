"""Language models that released Flamingos stand on and transformers does not have."""
