"""The publishing story: the records a declaration asks for, less what DNS has, in an order that breaks nothing."""
