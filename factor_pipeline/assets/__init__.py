"""Thin assets: months in, read, call ``compute``, write. One module per layer of the warehouse."""
