"""What torch calls do to shapes: rows from a qualified name to a function of values, one file a family (see `table`)."""
