"""Reading payments and refunds."""
