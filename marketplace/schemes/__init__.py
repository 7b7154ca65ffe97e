"""Programme terms: benefit, deadlines, fees, working days."""
