"""How answers are scored, one metric per file, each equal to its official implementation."""
