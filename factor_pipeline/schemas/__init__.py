"""Each table of the warehouse, declared once; everything else about it is derived."""
