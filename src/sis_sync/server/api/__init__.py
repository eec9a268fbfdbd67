"""The HTTP API that sync clients call. Each call runs one service."""
