"""What a user gives: numbers, options that belong to what takes them, memory."""
