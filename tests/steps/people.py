"""Rows of people for tests of guards."""

from sis_sync.core.fields import FIELD_NAMES


def person(custom_id: str, **values: str) -> dict[str, str]:
    """An Active student of grade 9 at 020, named after the ID unless `values` say otherwise."""
    row = {"first_name": "Ana", "last_name": f"Ruiz{custom_id}", "email": f"{custom_id.lower()}@x.example"}
    rest = {"school_district_external_id": "020", "user_type": "Student", "grade": "9", "status": "Active"}
    return {**dict.fromkeys(FIELD_NAMES, ""), **row, "custom_id": custom_id, **rest, **values}


def people(first: int, last: int, **values: str) -> list[dict[str, str]]:
    """Such persons with IDs from first to before last."""
    return [person(f"{number:04}", **values) for number in range(first, last)]
