"""The sync client: watches folders, checks each finished file, and delivers it to the server exactly once."""
