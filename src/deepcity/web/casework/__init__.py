"""The door by which other cities' searches reach the cameras of this one."""
