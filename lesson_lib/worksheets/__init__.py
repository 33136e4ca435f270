"""Worksheets for a class: numbers drawn for each student, a page of blanks, and a key that the derivation writes."""
