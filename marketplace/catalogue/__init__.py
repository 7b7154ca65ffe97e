"""Courses, their runs, and the import of catalogue files."""
