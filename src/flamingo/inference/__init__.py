"""From prompts to answers and scores."""
