"""Apply: takes an ApprovedPlan and nothing else."""
