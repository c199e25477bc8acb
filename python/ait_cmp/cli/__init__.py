"""All that talks to a person: commands, summary, progress; nothing below imports it."""
