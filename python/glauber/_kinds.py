"""Names the kinds of numbers that type checkers let through: Python's and NumPy's, and arrays without axes."""

from __future__ import annotations

from typing import SupportsFloat, SupportsIndex

Whole = SupportsIndex
"""A whole number: an int, any integer of NumPy."""
Real = SupportsFloat | SupportsIndex
"""A number: a float or int, any number of NumPy."""
