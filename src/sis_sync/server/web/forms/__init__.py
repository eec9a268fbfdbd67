"""The forms of the pages. They check only the shape of values. Services decide whether to accept a value."""
