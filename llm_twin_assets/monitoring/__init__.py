"""Is what was released still good? Alarms over the traces of real answers."""
