"""Named settings: models, mixtures and training recipes."""
