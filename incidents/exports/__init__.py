"""What is published, in files of many formats: one select per list, read in batches."""
