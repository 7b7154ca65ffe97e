"""Profiles of people who hold or apply for the benefit; the NIK; eligibility."""
