"""Source of the Lambda functions that a stack has, as Lambda is given it. Nothing here imports it."""
