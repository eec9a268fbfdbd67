"""What pages read from their forms: shape only. Whether a value can be taken is the services' to judge."""
