"""The page on which a manager decides on a plan: its verdict, its sums, what is unusual, and its people."""
