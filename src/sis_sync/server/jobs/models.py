"""Jobs, and whose turn it is. A job in state `running` belongs to a live process with its school system's lock."""

from django.db import models
from django.db.models.functions import Now


class Job(models.Model):
    """One task of one run. It may be done more than once, but takes effect at most once.

    `waits_for` is a fault of the place (core/place_faults.py), empty if nothing is missing. `waits_since` stays until
    the job is done, so that the pauses grow. `beat_at` is the database's time of its worker's last sign of life
    (PostgreSQL only: on SQLite it would have to wait for the job's own transaction).
    """

    class Kind(models.TextChoices):
        PLAN = "plan", "Check and plan"
        APPLY = "apply", "Apply"
        PREPARE = "prepare", "Prepare passwords"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="jobs")
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    reference = models.CharField(max_length=16, blank=True, default="")
    waits_for = models.CharField(max_length=16, blank=True, default="")
    waits_since = models.DateTimeField(null=True, blank=True)
    tries_again_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="job_by_state")]


class Turn(models.Model):
    """The last turn of a school system. Those without a turn are next, then the one with the smallest number."""

    school_system = models.OneToOneField(
        "orgs.SchoolSystem", on_delete=models.CASCADE, primary_key=True, related_name="job_turn"
    )
    number = models.BigIntegerField()
