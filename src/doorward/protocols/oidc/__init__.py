"""OpenID Connect: Doorward as OpenID Provider.

Owns authorization requests, codes, tokens, userinfo and discovery, under `/oidc/` and the two well-known addresses.
Never decides who may open an application (`apps/access.py`) or how somebody signs in (`signin/`), and knows no other
protocol. Read `authorize.py` for one launch from request to code, then `token.py`; `accept.py` holds every check of a
request, `decide.py` what becomes of it. This file imports nothing, so that joserfc is loaded with the first request.
"""
