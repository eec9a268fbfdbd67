"""The HTTP API: what sync clients call, each call one service."""
