"""A file for each subject; its `rows()` measures and yields the rows of the table."""
