"""From web pages, caption files and long videos to shards that a training reads."""
