"""The history of accounts and the log of actions: who changed what, when and why."""
