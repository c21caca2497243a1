"""What a run leaves, and how it is looked at: fields, ledger, pictures, report."""
