"""The modules under 60 lines, each with its reason. The list may only shrink."""

MOST_SMALL_MODULES = 46

_ENTRY = "an entry point, or a file that a framework asks for by this name"
_CONTRACT = "a contract that two layers share"
_DATA = "data, or one table of the database"
_PROCESS = "a process of its own"
_PAGE = "one page"
_NOUN = "one noun that several modules need and none owns"
_STEP = "the step, which leaves the fields to another module"
_RULE = "one rule of the spec, found by its name"

SMALL_MODULES = {
    "__init__.py": _ENTRY,
    "__main__.py": _ENTRY,
    "bench/work/duckdb_floor.py": _PROCESS,
    "bench/work/many_districts.py": _PROCESS,
    "bench/work/plan_steps.py": _PROCESS,
    "bench/work/read_step.py": _PROCESS,
    "bench/work/results_csv.py": _PROCESS,
    "bench/work/server_place.py": _PROCESS,
    "cli/demo.py": _ENTRY,
    "cli/next_command.py": _NOUN,
    "cli/reading_flags.py": _NOUN,
    "client/schedule.py": _RULE,
    "core/__init__.py": _ENTRY,
    "core/api_key.py": _CONTRACT,
    "core/exit_codes.py": _CONTRACT,
    "core/file_lock.py": _NOUN,
    "core/formula_cells.py": _RULE,
    "core/loopback.py": _RULE,
    "core/placeholder_ids.py": _RULE,
    "core/plan.py": _CONTRACT,
    "core/run_states.py": _CONTRACT,
    "demo/prepare.py": _PROCESS,
    "engine/base.py": _CONTRACT,
    "engine/sql.py": _NOUN,
    "server/api/urls.py": _ENTRY,
    "server/jobs/models.py": _DATA,
    "server/keys/models.py": _DATA,
    "server/accounts/held_addresses.py": _NOUN,
    "server/keys/selectors.py": _NOUN,
    "server/logs.py": _ENTRY,
    "server/orgs/last_manager.py": _RULE,
    "server/runs/apply/approved.py": _CONTRACT,
    "server/runs/expiry.py": _RULE,
    "server/runs/states.py": _CONTRACT,
    "server/runs/superseding.py": _RULE,
    "server/runs/two_people.py": _RULE,
    "server/serve/work.py": _PROCESS,
    "server/text.py": _NOUN,
    "server/urls.py": _ENTRY,
    "server/web/views/home.py": _PAGE,
    "server/web/views/setup.py": _PAGE,
    "server/wsgi.py": _ENTRY,
    "steps/directory/csv_file.py": _NOUN,
    "steps/map/properties.py": _CONTRACT,
    "steps/map/secret_columns.py": _RULE,
    "steps/read/text_formulas.py": _RULE,
}
