"""Wire the stages: from a specimen to a case, and from many to many, here or on a cluster."""
