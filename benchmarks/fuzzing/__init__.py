"""Hostile pages and pictures, and what watches a collector that reads them."""
