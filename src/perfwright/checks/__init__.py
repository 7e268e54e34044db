"""Whether a build is right: the oracle, and whether the oracle can be trusted."""
