"""Rules of data quality that take more than one query: rows in, flagged rows out."""
