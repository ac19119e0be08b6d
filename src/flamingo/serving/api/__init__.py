"""The HTTP API: routes, what they take and give, and what stands before all of them."""
