"""Running one campaign, from the observer to the hand-over."""
