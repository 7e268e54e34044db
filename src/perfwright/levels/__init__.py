"""Where edits act.  Each level repairs its edits and says how to build with them."""
