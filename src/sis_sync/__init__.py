"""SIS Sync: user accounts that match what the school's information system exports."""
