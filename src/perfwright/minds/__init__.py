"""Who decides: the built-in mind, and language models in the same roles."""
