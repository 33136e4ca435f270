"""The exercises: questions as data, a file for each notebook; their numbers, computed; and the marking of an answer."""
