"""The dashboards as data: one module for each of them, and what their panels have in common."""
