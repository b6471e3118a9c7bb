"""Rates, exact tests, change points, control of false discoveries; knows nothing of crashes."""
