"""What people see: the sign-in, the User Portal and the administrators' pages.

Owns pages, their forms and their sentences. Never decides anything: forms become the words of `signin`, `apps` and
`directory`, and their answers become pages. Read `login.py` first.
"""
