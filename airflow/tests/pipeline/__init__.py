"""Tests of the steps, on generated logs."""
