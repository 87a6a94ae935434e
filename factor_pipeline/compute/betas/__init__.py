"""Rolling regressions of stocks on factors, and what is made of their betas."""
