"""Pass pipelines as values: parsed, printed, addressed, edited, repaired, tried."""
