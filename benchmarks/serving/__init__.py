"""Clients of a server under load, and what they measure."""
