"""What can be proved about dims, and about the conditions under which they hold."""
