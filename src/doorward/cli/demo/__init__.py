"""`doorward demo`: the server with a demo organisation and two applications beside it, on this machine alone.

Owns the demo's folder, its people and their printed passwords; never touches a database or an address that is not
its own. Read `command.py` first; the applications stand in `cli/demo_apps`.
"""

from __future__ import annotations

from doorward.cli.demo.command import demo

__all__ = ["demo"]
