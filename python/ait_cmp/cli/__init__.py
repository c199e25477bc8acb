"""All that talks to a person: the command line, its summary and its progress; nothing below imports it."""
