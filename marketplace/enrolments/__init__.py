"""Purchase, attendance, completion, cancellation; and the earnings that completions make."""
