"""Installed LLVMs: found, asked about themselves, and run through one door."""
