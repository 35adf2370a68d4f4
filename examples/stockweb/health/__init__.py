"""What load balancers and operators ask: is this process alive, and may it have traffic."""
