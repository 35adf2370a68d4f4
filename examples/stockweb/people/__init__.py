"""Who may do what: roles, and tokens for programs."""
