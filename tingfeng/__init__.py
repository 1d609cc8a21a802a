"""听风: records, settings, clock, errors and the query language. Imports nothing of the other packages."""

__version__ = "0.1.0"
