"""Campaigns that measure what Broad Street says against what is true."""
