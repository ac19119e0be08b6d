"""What keeps bad pages, texts and images out: named steps with settings, each with its source."""
