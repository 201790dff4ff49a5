"""Under what the description of the API puts these operations."""

TAG = "Casework: sources"
