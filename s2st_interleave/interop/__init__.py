"""Data of other toolkits, read as what stages 1, 3 and 4 write, and written for them."""
