"""Measures Doorward beside its floors, in one run: `python -m bench` (or `make bench`).

Owns the load generator, the floors and the table; is no part of the product. A figure means something only beside
its floor of the same run: machines differ, ratios less. Read `__main__.py` first.
"""
