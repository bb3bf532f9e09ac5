"""The lake on disk: Parquet segments, the manifest that commits them, and readers."""
