"""Records of other datasets, made ours: read, crosswalked, stored in bulk, reviewed as one."""
