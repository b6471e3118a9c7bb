"""Scans that are killed, starved and crowded; what they leave is compared with an undisturbed one."""
