"""The addresses of the pages, and the view of each."""

from django.urls import URLPattern, path

from sis_sync.server.web.views import (
    account,
    audit,
    bulk,
    home,
    keys,
    orgs,
    people,
    profile,
    runs,
    setup,
    sign_in,
    sync_settings,
)

app_name = "web"

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("setup/<str:token>", setup.setup, name="setup"),
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-in/<slug:slug>", sign_in.sign_in, name="sign_in_at"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("profile", profile.profile, name="profile"),
    path("settings", orgs.settings, name="settings"),
    path("settings/schools/new", orgs.org_create, name="org_create"),
    path("settings/schools/import", orgs.orgs_import, name="orgs_import"),
    path("settings/schools/<int:org_id>", orgs.org_edit, name="org_edit"),
    path("members", people.user_admin, name="user_admin"),
    path("members/search", people.user_search, name="user_search"),
    path("members/act", people.people_act, name="people_act"),
    path("members/new", account.account_create, name="account_create"),
    path("members/<int:account_id>", account.account_history, name="account_history"),
    path("members/<int:account_id>/edit", account.account_edit, name="account_edit"),
    path("members/<int:account_id>/rights", account.account_rights, name="account_rights"),
    path("bulk", bulk.bulk_upload, name="bulk_upload"),
    path("bulk/pending", bulk.pending, name="pending"),
    path("bulk/history", bulk.history, name="history"),
    path("bulk/mappings", bulk.mappings, name="mappings"),
    path("bulk/settings", sync_settings.sync_settings, name="sync_settings"),
    path("bulk/settings/<str:mode>", sync_settings.mode_settings, name="mode_settings"),
    path("bulk/client", keys.sync_client, name="sync_client"),
    path("bulk/client/api", keys.switch_client_api, name="switch_client_api"),
    path("bulk/client/keys/new", keys.create_api_key, name="create_api_key"),
    path("bulk/client/keys/new/shown", keys.new_api_key, name="new_api_key"),
    path("bulk/client/keys/<int:key_id>/rotate", keys.rotate_api_key, name="rotate_api_key"),
    path("bulk/client/keys/<int:key_id>/revoke", keys.revoke_api_key, name="revoke_api_key"),
    path("runs/<int:run_id>", runs.run, name="run"),
    path("runs/<int:run_id>/progress", runs.run_progress, name="run_progress"),
    path("runs/<int:run_id>/approve", runs.approve, name="approve"),
    path("runs/<int:run_id>/reject", runs.reject, name="reject"),
    path("runs/<int:run_id>/results.csv", runs.run_results, name="run_results"),
    path("runs/<int:run_id>/failed.csv", runs.run_failed, name="run_failed"),
    path("audit", audit.audit_log, name="audit_log"),
]
