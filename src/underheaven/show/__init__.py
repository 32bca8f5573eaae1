"""What people look at: charts and the report, drawn from a stored run."""
