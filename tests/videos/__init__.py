"""Tests of reading frames."""
