"""The pages: server-rendered, each view checks access, calls one service, renders."""
