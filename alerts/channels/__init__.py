"""Notification channels: one file, one class, one `send`. A new file with KIND, TITLE_ZH and build() is found by itself."""
