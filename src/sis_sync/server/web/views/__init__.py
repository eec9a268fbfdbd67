"""The views, a module for each group of pages. A view parses, checks access, calls one service and renders."""
