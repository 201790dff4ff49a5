"""The door between casework and the published side. Nothing else writes on the far side."""
