"""Collectors: one file per source. They see a query and a clock, never settings, stores or nlp."""
