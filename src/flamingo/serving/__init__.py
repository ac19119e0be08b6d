"""Flamingo over HTTP: an API that existing clients speak, and a page to teach it by example."""
