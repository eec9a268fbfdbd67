"""Random nights of a district: people edit accounts, a file arrives, the plan is applied or not.

The file lists most people as they are, and some with changes that touch others: swapped and shared addresses, IDs that
stand twice, that lost their zeros or that someone else had, names like those of deleted accounts.
"""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kit.plans import table

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import RECENT_COLUMNS

Values = dict[str, str]
ACCOUNT_COLUMNS = (
    *FIELD_NAMES,
    *("state", "protected", "account_id", "held_by_hand", "rights", "in_scope", "deleted_on", "edited_names"),
)
ORGS = {"D1": "Lakeview District", "010": "North Elementary", "020": "Lakeview High", "x@y": "At Large"}
IDS = ("7", "07", "007", "70", "A1", "A2", "0A2", "1234567890123450", "1234567890123451", "1.2E+05", "a@b")
FIRST = ("Ana", "Ben", "Chloé", "Dai", "NULL", "JosÃ©", "a@b")
MAPPINGS = (
    *[""] * 12,
    "mapper.m.value.status.on=Active\nmapper.m.column.status=status",
    "mapper.m.skip.status=Left",
    "mapper.m.dates.status=from | to\nmapper.m.dates.format=YYYY-MM-DD",
    "mapper.m.template.email={custom_id}@x.example",
    "mapper.m.create.middle_name=new",
    "mapper.m.choose=more: 1",
    "mapper.m.pad.custom_id=3",
    "mapper.m.decode.last_name=html",
)
EXTRA = ("more", "from", "to")


@dataclass
class District:
    """Accounts by ID, and what was done to them: `touched` has the IDs of each change, in order.

    `in_sis` has the values that the SIS still has of people who were edited here. `columns` are those of the file.
    """

    random: Random
    accounts: dict[int, Values] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    orgs: dict[str, str] = field(default_factory=lambda: dict(ORGS))
    recent: list[tuple[str, ...]] = field(default_factory=list)
    key: int = 0
    columns: tuple[str, ...] = (*FIELD_NAMES, *EXTRA)
    last_id: int = 0
    in_sis: dict[int, Values] = field(default_factory=dict)

    def begin(self, people: int) -> None:
        for _ in range(people):
            self.add(self.somebody())

    def somebody(self, custom_id: str = "") -> Values:
        pick = self.random.choice
        user_type = pick(("Student", "Student", "Student", "Teacher", "Staff"))
        number = self.random.randrange(10**6)
        return {
            "first_name": pick(FIRST if self.random.random() < 0.1 else FIRST[:3]),
            "middle_name": pick(("", "", "Q")),
            "last_name": pick(("Okafor", "Ruiz", "Lindqvist", "O'Neil", f"Ng{number}", "O'Brien, Jr")),
            "email": f"p{number}@x.example" if self.random.random() < 0.9 else f"a{self.random.randrange(6)}@x.example",
            "custom_id": custom_id or (pick(IDS) if self.random.random() < 0.2 else f"S{number}"),
            "school_district_external_id": pick(("010", "010", "020", "020", "D1", "x@y")),
            "user_type": user_type,
            "position": "" if user_type == "Student" else pick(("", "Maths", "Head, Maths")),
            "grade": pick(("9", "10", "Unspecified")) if user_type == "Student" else "",
            "status": pick(("Active", "Active", "Active", "Disabled")),
        }

    def add(self, values: Values, **more: str) -> None:
        others = self.accounts.values()
        if values["custom_id"] and any(other["custom_id"] == values["custom_id"] for other in others):
            return
        if any(o["email"].lower() == values["email"].lower() and not o["state"] for o in others):
            return
        self.last_id += 1
        plain = dict.fromkeys(ACCOUNT_COLUMNS, "")
        self.accounts[self.last_id] = {**plain, **values, "account_id": str(self.last_id), **more}
        self.touched.append(self.last_id)

    def edit(self) -> None:
        """Do something to an account, by whatever path."""
        pick, ids = self.random.choice, sorted(self.accounts)
        if not ids:
            return
        number = pick(ids)
        if self.random.random() < 0.5:
            self.in_sis.setdefault(number, dict(self.accounts[number]))
        account, what = self.accounts[number], pick(("field", "field", "delete", "flag", "id", "swap", "gone", "new"))
        if what == "field":
            name = pick([name for name in FIELD_NAMES if name not in ("custom_id", "email")])
            self.change(number, **{name: self.somebody()[name]})
        elif what == "delete":
            self.change(number, state="" if account["state"] else "deleted", deleted_on="2026-11-01")
        elif what == "flag":
            flag, word = pick((("protected", "yes"), ("held_by_hand", "yes"), ("protected", ""), ("held_by_hand", "")))
            self.change(number, **{flag: word})
        elif what == "id":
            self.change(number, custom_id=self.somebody()["custom_id"])
        elif what == "swap":
            other = pick(ids)
            one, two = account["email"], self.accounts[other]["email"]
            self.change(number, email=f"between{number}@x.example")
            self.change(other, email=one)
            self.change(number, email=two)
        elif what == "gone":
            del self.accounts[number]
            self.touched.append(number)
        else:
            self.add(self.somebody(), custom_id="" if self.random.random() < 0.3 else f"N{self.last_id}")

    def change(self, number: int, **values: str) -> None:
        """Change an account unless the database would refuse it: IDs are unique, and addresses of live accounts."""
        after = {**self.accounts[number], **values}
        others = [account for each, account in self.accounts.items() if each != number]
        if after["custom_id"] and any(other["custom_id"] == after["custom_id"] for other in others):
            return
        live = [other["email"].lower() for other in others if not other["state"]]
        if not after["state"] and after["email"].lower() in live:
            return
        self.accounts[number] = after
        self.touched.append(number)

    def change_around(self) -> None:
        """Change what the accounts depend on besides themselves."""
        if self.random.random() < 0.5:
            gone = self.random.choice(list(ORGS))
            if gone in self.orgs and gone != "D1":
                del self.orgs[gone]
            else:
                self.orgs = dict(ORGS)
        else:
            number = self.random.choice(sorted(self.accounts) or [0])
            if number:
                self.accounts[number]["rights"] = self.random.choice(("", "district", "school"))
        self.key += 1  # as the server's key of the memory would

    def export(self, touched: set[int] | None) -> str:
        """The file of accounts: all, or those touched."""
        rows = [account for number, account in sorted(self.accounts.items()) if touched is None or number in touched]
        return table(ACCOUNT_COLUMNS, rows)

    def orgs_file(self) -> str:
        return table(("external_id", "name"), [{"external_id": key, "name": name} for key, name in self.orgs.items()])

    def roster(self) -> bytes:
        """Tonight's file."""
        chance, pick = self.random.random, self.random.choice
        in_sis = {**self.accounts, **self.in_sis}
        rows = [self._row(person) for person in in_sis.values() if chance() < 0.95]
        for _ in range(self.random.randrange(6)):
            if rows:
                self._damage(rows, self.random.randrange(len(rows)))
        rows += [{**self.somebody(), "more": "", "from": "", "to": ""} for _ in range(self.random.randrange(3))]
        if chance() < 0.2:
            self.random.shuffle(rows)
        text = table(self.columns, rows or [self._row(self.somebody())])
        lines = text.splitlines()
        if chance() < 0.2:
            lines.insert(
                self.random.randrange(1, len(lines) + 1), pick(("only,two", '"open"x,1', ",,,", "Total: 7 rows"))
            )
        if chance() < 0.1:
            lines = [f'"{lines[0].split(",")[0]}",{lines[0].split(",", 1)[1]}', *lines[1:]]
        end = pick(("\n", "\n", "\n", "\r\n"))
        return (end.join(lines) + pick((end, end, end, ""))).encode()

    def _row(self, account: Values) -> Values:
        row = {name: account[name] for name in FIELD_NAMES}
        return {**row, "more": "1", "from": "", "to": "2026-11-20" if account["status"] == "Disabled" else ""}

    def _damage(self, rows: list[Values], place: int) -> None:
        """Damage the row, or add another one for the person."""
        pick, row = self.random.choice, rows[place]
        what = pick(("twice", "org", "swap", "value", "value", "value", "value"))
        if what == "twice":
            rows.insert(self.random.randrange(len(rows) + 1), dict(row))
        elif what == "org":
            rows.append({**row, "school_district_external_id": pick(("010", "020", "999"))})
        elif what == "swap":
            other = self.random.randrange(len(rows))
            rows[place], rows[other] = {**row, "email": rows[other]["email"]}, {**rows[other], "email": row["email"]}
        else:
            rows[place] = {**row, **self._other_values(row, pick(rows))}

    def _other_values(self, row: Values, other: Values) -> Values:
        pick = self.random.choice
        name = pick([name for name in FIELD_NAMES if name != "custom_id"])
        return pick(
            (
                {name: self.somebody()[name]},
                {"email": other["email"].upper()},
                {"custom_id": row["custom_id"].lstrip("0")},
                {"custom_id": pick((*IDS, other["custom_id"], f"0{row['custom_id']}"))},
                {"custom_id": f"'{row['custom_id']}"},
                {"status": pick(("Disabled", "Active", "Left", "on", "Gone"))},
                {"first_name": f" {row['first_name']} ", "user_type": row["user_type"].upper()},
                {"more": "2"},
            )
        )

    def apply(self, plan: list[Values]) -> None:
        """Do what the plan says, as the server would; some of it counts for the guards of the next days."""
        is_import = self.random.random() < 0.3
        by_id = {account["custom_id"]: number for number, account in self.accounts.items() if account["custom_id"]}
        for row in plan:
            values = {name: row[name] for name in FIELD_NAMES}
            number = by_id.get(row["custom_id"])
            if row["action"] == "create":
                self.add(values)
                self.remember(self.last_id, "import" if is_import else "yes", "create", {}, values)
            elif row["action"] in ("update", "restore") and number:
                before = {name: self.accounts[number][name] for name in FIELD_NAMES}
                self.change(number, **values, state="")
                self.in_sis.pop(number, None)
                self.remember(number, self.random.choice(("yes", "no")), row["action"], before, values)
            elif row["action"] == "delete" and number:
                self.change(number, state="deleted", deleted_on="2026-11-02")
                self.remember(number, "yes", "delete", {"status": "Active"}, {})

    def remember(self, number: int, by: str, action: str, before: Values, after: Values) -> None:
        """Note a change of the last days, for the guards of the next days."""
        counts = "guard.drip;guard.changes;guard.enabled" + ("" if by == "import" else ";guard.creations")
        changed = {name for name in FIELD_NAMES if before.get(name) != after.get(name)}
        parts = (json.dumps({name: each[name] for name in changed if name in each}) for each in (before, after))
        self.recent.append((str(number), str(len(self.recent)), by, counts, action, *parts))

    def recent_file(self, path: Path) -> Path | None:
        """The recent changes, as `History.recent_changes`; those before the last days are forgotten."""
        self.recent = self.recent[-4:] if self.random.random() < 0.7 else self.recent
        if not self.recent:
            return None
        assert len(self.recent[0]) == len(RECENT_COLUMNS)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(self.recent)
        return path
