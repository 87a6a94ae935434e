"""From a published row back to the files it is made of."""
