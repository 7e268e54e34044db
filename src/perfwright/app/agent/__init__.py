"""Campaigns that a coding agent leads or lends its model to."""
