"""The paper's idea (Sec. 3.2): words of text in place of speech units."""
