"""Releases: files of the data as they stood at a ledger position, which anyone can cite."""
