"""Truth against a table of cases: confusions, hits and false findings, likelihood ratios."""
