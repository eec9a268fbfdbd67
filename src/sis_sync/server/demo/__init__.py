"""The demo district: made-up people, exports of three days, and a server that knows the schools."""
