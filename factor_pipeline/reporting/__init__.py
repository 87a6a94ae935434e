"""The report: what the published tables say, as one page that needs nothing else."""
