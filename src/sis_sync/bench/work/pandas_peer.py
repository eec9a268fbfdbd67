"""The peer script with pandas and SQLAlchemy, as a careful administrator would write it: FILE ORGS [objects].

It reads with read_csv, applies the rules as masks over whole columns, merges with the accounts in our table, and writes
the new accounts with to_sql. It only creates accounts, keeps no history and writes no results. With `objects` it writes
the accounts through SQLAlchemy's ORM, each with a line of history, as ours does.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sis_sync.bench.work.plain_script import ADDRESS, GRADES, PLACEHOLDERS, STATUSES, TYPES
from sis_sync.bench.work.server_place import APPROVER
from sis_sync.core.fields import UNSPECIFIED_GRADE

ORG = "school_district_external_id"
NEEDED = ("first_name", "last_name", "email", "custom_id", ORG)
KEPT = ("first_name", "middle_name", "last_name", "email", "custom_id", "user_type", "position", "grade", "status")
CHUNK_ROWS = 10_000


def engine() -> Any:
    """Return an engine for the database of the server's settings."""
    import sqlalchemy
    from django.conf import settings

    database = settings.DATABASES["default"]
    return sqlalchemy.create_engine(f"sqlite:///{database['NAME']}")


def judged(people: Any, orgs: set[str]) -> Any:
    """Return the rows, with listed values in canonical form, and a mask that is True for good rows."""
    people = people.apply(lambda column: column.str.strip().str.normalize("NFC"))
    address, grade = people["email"].str.lower(), people["grade"].str.casefold()
    good = (people[list(NEEDED)] != "").all(axis=1) & people["email"].str.fullmatch(ADDRESS)
    custom_id = people["custom_id"]
    good &= ~custom_id.str.casefold().isin(PLACEHOLDERS) & (custom_id.str.strip("0") != "") & people[ORG].isin(orgs)
    good &= ~custom_id.duplicated(keep=False) & ~address.duplicated(keep=False)
    people["user_type"] = people["user_type"].str.casefold().map(TYPES)
    people["status"] = people["status"].str.casefold().map(STATUSES)
    is_student = people["user_type"] == "Student"
    people["grade"] = grade.where(grade != "", UNSPECIFIED_GRADE.casefold()).map(GRADES).where(is_student, "")
    people["position"] = people["position"].mask(is_student, "")
    return people, good & people[["user_type", "status", "grade"]].notna().all(axis=1)


def write_table(new: Any, connection: Any) -> None:
    """Write the frame to the accounts table."""
    new.to_sql("accounts_account", connection, if_exists="append", index=False, chunksize=CHUNK_ROWS)


def write_objects(new: Any, connection: Any) -> None:
    """Write one object for each row, and one for its history, through an ORM session."""
    from sqlalchemy.ext.automap import automap_base
    from sqlalchemy.orm import Session

    mapped = automap_base()
    mapped.prepare(autoload_with=connection)
    account, change = mapped.classes.accounts_account, mapped.classes.audit_accountchange
    with Session(connection) as session:
        for begin in range(0, len(new), CHUNK_ROWS):
            rows = new[begin : begin + CHUNK_ROWS].to_dict("records")
            people = [account(**row) for row in rows]
            session.add_all(people)
            session.flush()
            session.add_all(
                change(
                    account_id=person.id,
                    school_system_id=row["school_system_id"],
                    action="create",
                    before="{}",
                    after=json.dumps({name: row[name] for name in KEPT}),
                    changed_at=row["created_at"],
                )
                for person, row in zip(people, rows, strict=True)
            )
        session.commit()


def main() -> None:
    """Create the new accounts and print the counts."""
    import django

    django.setup()
    import pandas
    from django.contrib.auth.hashers import make_password

    write = write_objects if "objects" in sys.argv[3:] else write_table
    with engine().begin() as connection:
        found = pandas.read_sql("SELECT id, email, custom_id, school_system_id FROM accounts_account", connection)
        orgs = pandas.read_sql("SELECT id AS org_id, external_id FROM orgs_org", connection).dropna()
        listed = set(pandas.read_csv(sys.argv[2], dtype=str)["external_id"])
        people, good = judged(pandas.read_csv(Path(sys.argv[1]), dtype=str, keep_default_na=False), listed)
        system = int(found.loc[found["email"] == APPROVER, "school_system_id"].iloc[0])
        good &= ~people["email"].str.lower().isin(found["email"].str.lower())
        new = people[good & ~people["custom_id"].isin(found["custom_id"])]
        new = new.merge(orgs, left_on=ORG, right_on="external_id").drop(columns=[ORG, "external_id"])
        now = pandas.Timestamp.now("UTC").tz_localize(None)
        rest = {"is_protected": False, "protected_reason": "", "is_held_by_hand": False, "created_at": now}
        new = new.assign(school_system_id=system, password=make_password(None), updated_at=now, **rest)
        write(new, connection)
        sys.stdout.write(json.dumps({"counts": {"create": len(new), "failed": int((~good).sum())}}))


if __name__ == "__main__":
    main()
