"""What the directory refuses. Every message is a sentence without its full stop, ready to stand after a place."""

from __future__ import annotations


class DirectoryRefusal(Exception):
    """The base of what the directory refuses."""


class BadName(DirectoryRefusal):
    """A username, mail address, group name or other field that cannot be stored as it is."""


class NameTaken(DirectoryRefusal):
    """A username or mail address that is somebody else's username or mail address, or a group that exists."""


class IdTaken(DirectoryRefusal):
    """An id that belongs or belonged to somebody."""


class LastOwner(DirectoryRefusal):
    """What would leave the organisation without an active owner."""
