"""The views, a module for each group of pages. Each parses, checks access, calls one service, renders."""
