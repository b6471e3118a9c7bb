"""Files that say what there was in a fleet: CSV, Parquet, JSON, NDJSON, and the nodes of Kubernetes."""
