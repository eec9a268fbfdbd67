"""The demo: a district of invented people, a server, a client and three days of exports."""
