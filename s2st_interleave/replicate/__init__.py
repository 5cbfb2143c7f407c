"""The paper in miniature: its tables cell by cell, its claims decided by rule."""
