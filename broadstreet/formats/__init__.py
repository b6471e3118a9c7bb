"""Binary and text formats, declared as data. No files, clock or network."""
