"""Publication and what readers get from it: gate, rollback, queries, pages and their wording."""
