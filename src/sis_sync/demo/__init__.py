"""The demo: a district of made-up people, a server, a client and three days of exports."""
