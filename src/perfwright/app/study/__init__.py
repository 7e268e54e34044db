"""Many campaigns, and campaigns that are only counted: bench, A/A, dry run."""
