"""Totals over incidents, in groups: what is asked, the SQL of it, and the answer."""
