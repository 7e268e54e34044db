"""The recipe: the confirmed edits, how a normal build applies them, how to check them."""
