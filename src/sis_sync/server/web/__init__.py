"""The pages, rendered on the server. Each view checks access, calls one service and renders a template."""
