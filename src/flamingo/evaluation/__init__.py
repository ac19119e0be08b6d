"""From predictions and references to numbers with intervals."""
