"""Tests of collecting points."""
