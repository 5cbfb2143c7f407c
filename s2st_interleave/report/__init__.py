"""One page of HTML about a recipe: its scores, its trainings, and what the systems said."""
