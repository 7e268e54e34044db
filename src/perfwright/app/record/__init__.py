"""Past campaigns as their journals tell them: stories, documents, reports."""
