"""What people see: the sign-in, the User Portal and the Admin Portal, with their templates and static files.

Owns the words and the order of pages. Never decides: a page parses what was sent, asks a room below, and shows the
answer. Read `login.py` first.
"""
