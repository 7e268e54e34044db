"""What is handed to people and programs: JSON, text, HTML."""
