"""Publication: gate, publish, roll back, query and answers; no business rules."""
