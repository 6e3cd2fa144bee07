"""Says when each step runs, what it waits for, and shows what happened; built from the registry."""
