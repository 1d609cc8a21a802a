"""The pages: routes in app.py, views, templates. No SQL, no rules."""
