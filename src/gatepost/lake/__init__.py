"""The lake: its columns, and the questions it answers, as SQL."""
