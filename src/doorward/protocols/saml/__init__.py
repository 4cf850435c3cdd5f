"""SAML 2.0: Doorward as identity provider.

Owns the messages (read, judged, built, signed), the pending requests and the addresses under `/saml/`. Never decides
who may open an application (`apps/access.py`) or how somebody signs in (`signin/`), and knows no other protocol.
Read `sso.py` for one launch from request to answer; `parse.py` and `accept.py` for what arrives, `build.py` and
`sign.py` for what leaves. This file imports nothing, so that lxml is loaded with the first SAML request only.
"""
