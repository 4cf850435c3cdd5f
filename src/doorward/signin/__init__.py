"""The sign-in: who somebody is, how they proved it, how often they may be wrong, and how long it holds.

Owns the flow, the guesses, the factors, sessions and known browsers. Never renders a page, never reads a request,
and never knows which protocol waits for the person: where they are heading is data (`destination.py`).
Read `flow.py` first: the whole sign-in, pure. Then `policy.py` and `perform.py`.
"""

from __future__ import annotations

from doorward.signin.audience import Audience
from doorward.signin.destination import Demands, Heading
from doorward.signin.proof import Method, Proof
from doorward.signin.sessions import AdminSession, Session
from doorward.signin.transaction import start as begin

__all__ = ["AdminSession", "Audience", "Demands", "Heading", "Method", "Proof", "Session", "begin"]
