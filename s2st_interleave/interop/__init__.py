"""Reads data of other toolkits in place of stages 1, 3 and 4, and writes data for them."""
