-- Only PostgreSQL has something to change: see there.
SELECT 1;
