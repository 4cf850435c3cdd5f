"""The two applications of the demo: a SAML service provider and an OpenID Connect relying party.

Each stands on a third-party library (python3-saml, Authlib), so that the demo proves Doorward against clients
that it did not write. They run as processes of their own, share nothing with the product but its addresses,
and keep everything in memory. Read `saml_app.py`, then `oidc_app.py`; `shell.py` is what they have in common.
"""
