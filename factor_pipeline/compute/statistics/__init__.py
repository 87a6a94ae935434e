"""Inference: what monthly returns, signals and models are evidence of."""
