"""Faults in the data that are told by computing."""
