"""Apply: changes accounts according to an ApprovedPlan. It accepts nothing else."""
