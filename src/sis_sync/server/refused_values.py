"""Values typed or sent by a person that cannot be taken, field by field."""

from sis_sync.core.errors import SisSyncError


class ValuesRefused(SisSyncError):
    """`errors` maps the name of each field to what is wrong with it and what to do. Nothing was changed."""

    exit_code, http_status, title = 2, 422, "Some values cannot be taken"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()), fix="Correct these values and send them again.")
        self.errors = errors
