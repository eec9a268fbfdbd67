"""The forms of the pages. They check the shape of values only; whether a value is accepted, the services decide."""
