"""One module per provider, all behind the protocol in ``sources.protocol``; no finance."""
