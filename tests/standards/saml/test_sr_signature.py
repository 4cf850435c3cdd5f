"""Signatures of the Redirect binding (SR-03 to SR-06), made by `cryptography` over the octets that are sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from doorward.apps import SamlProvider
from doorward.protocols.saml.bindings import from_form, from_query
from doorward.protocols.saml.receive import Known, known, opened
from doorward.protocols.saml.refusals import Reason, Refused
from support.saml import (
    ACS,
    ENDPOINT,
    ENTITY_ID,
    Asks,
    Pair,
    ec_pair,
    posted,
    redirect_query,
    rsa_pair,
    saml_app,
    signed_message,
    signed_query,
)

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
OLD = "http://www.w3.org/2000/09/xmldsig#"


def judge(query: str, *pairs: Pair, must_sign: bool = False) -> Known:
    provider = SamlProvider(ENTITY_ID, (ACS,), tuple(pair.pem for pair in pairs), require_signed_requests=must_sign)
    return known(opened(from_query(query.encode())), [saml_app(provider)], ENDPOINT)


def refused(query: str, *pairs: Pair, must_sign: bool = False) -> Reason:
    with pytest.raises(Refused) as error:
        judge(query, *pairs, must_sign=must_sign)
    return error.value.reason


@pytest.mark.parametrize("hashed", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(("pair", "kind"), [(rsa_pair, "rsa"), (ec_pair, "ecdsa")])
def test_sr05_the_allowed_algorithms_verify(pair: Callable[[], Pair], kind: str, hashed: str) -> None:
    query = redirect_query(Asks().xml(), "r", pair(), f"{MORE}{kind}-{hashed}")
    assert judge(query, pair(), must_sign=True).asker.acs_url == ACS


@pytest.mark.parametrize(
    "algorithm",
    [
        f"{OLD}rsa-sha1",
        f"{OLD}dsa-sha1",
        f"{OLD}hmac-sha1",
        f"{MORE}rsa-md5",
        f"{MORE}hmac-sha256",
        f"{MORE}RSA-SHA256",
        f"{MORE}rsa-sha256 ",
        "none",
    ],
)
def test_sr05_other_algorithms_are_refused(algorithm: str) -> None:
    query = redirect_query(Asks().xml(), None, rsa_pair(), algorithm)
    assert refused(query, rsa_pair()) is Reason.SIGNATURE_ALGORITHM


def test_sr05_an_algorithm_of_another_kind_of_key_is_refused() -> None:
    for pair, algorithm in ((rsa_pair(), f"{MORE}ecdsa-sha256"), (ec_pair(), f"{MORE}rsa-sha256")):
        assert refused(redirect_query(Asks().xml(), None, pair, algorithm), pair) is Reason.SIGNATURE_INVALID


def _lower(query: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), query)


def _all(query: str) -> str:
    """Escape every octet of the values, as a strange but correct sender may."""
    parts = [part.partition("=") for part in query.split("&")]
    return "&".join(f"{name}={quote(value, safe='%')}" for name, _, value in parts)


@pytest.mark.parametrize("style", [str, _lower, _all])
def test_sr03_the_octets_as_they_were_encoded_are_what_is_signed(style: Callable[[str], str]) -> None:
    query = signed_query(style(redirect_query(Asks().xml(), "a b/é+")), rsa_pair())
    assert judge(query, rsa_pair(), must_sign=True).asker.acs_url == ACS


def test_sr03_another_encoding_than_the_one_that_was_signed_does_not_verify() -> None:
    query = redirect_query(Asks().xml(), "a/b", rsa_pair())
    assert refused(query.replace("%2Fb&", "%2fb&"), rsa_pair()) is Reason.SIGNATURE_INVALID


def test_sr03_the_order_of_the_parameters_on_the_way_does_not_matter() -> None:
    parts = redirect_query(Asks().xml(), "r", rsa_pair()).split("&")
    assert judge("&".join(reversed(parts)), rsa_pair(), must_sign=True).asker.acs_url == ACS


@pytest.mark.parametrize("state", ["", "&RelayState=", "&RelayState=s"])
def test_sr03_relay_state_is_signed_only_if_present(state: str) -> None:
    query = signed_query(redirect_query(Asks().xml()) + state, rsa_pair())
    assert judge(query, rsa_pair(), must_sign=True).asker.acs_url == ACS
    without = query.replace(state, "") if state else query.replace("&SigAlg", "&RelayState=s&SigAlg")
    assert refused(without, rsa_pair()) is Reason.SIGNATURE_INVALID


def test_sr06_any_signature_must_verify_where_a_key_is_known() -> None:
    query = redirect_query(Asks().xml(), None, rsa_pair())
    assert judge(query, rsa_pair()).asker.acs_url == ACS
    assert judge(redirect_query(Asks().xml()), rsa_pair()).asker.acs_url == ACS
    assert refused(query, rsa_pair(which=1)) is Reason.SIGNATURE_INVALID


def test_sr06_a_provider_that_must_sign_is_refused_unsigned_and_without_a_known_key() -> None:
    assert refused(redirect_query(Asks().xml()), rsa_pair(), must_sign=True) is Reason.SIGNATURE_MISSING
    assert refused(redirect_query(Asks().xml(), None, rsa_pair()), must_sign=True) is Reason.SIGNATURE_INVALID


def test_sr06_without_a_known_key_a_signature_neither_helps_nor_hinders() -> None:
    assert judge(redirect_query(Asks().xml(), None, rsa_pair())).asker.acs_url == ACS


def test_sr06_a_signature_within_a_redirected_message_is_not_its_signature() -> None:
    inner = signed_message(Asks().xml(), rsa_pair())
    for query in (redirect_query(inner), redirect_query(inner, None, rsa_pair())):
        assert refused(query, rsa_pair(), must_sign=True) is Reason.SIGNATURE_INVALID


def test_sr07_a_signed_request_names_its_destination() -> None:
    query = redirect_query(Asks(destination=None).xml(), None, rsa_pair())
    assert refused(query, rsa_pair()) is Reason.DESTINATION


def test_sm06_every_registered_key_is_tried() -> None:
    pairs = [rsa_pair(which=1), ec_pair(), rsa_pair()]
    assert judge(redirect_query(Asks().xml(), None, rsa_pair()), *pairs, must_sign=True).asker.acs_url == ACS
    form = from_form({"SAMLRequest": posted(signed_message(Asks().xml(), ec_pair()))})
    provider = SamlProvider(ENTITY_ID, (ACS,), tuple(pair.pem for pair in pairs), require_signed_requests=True)
    assert known(opened(form), [saml_app(provider)], ENDPOINT).asker.acs_url == ACS


def test_sm04_a_key_that_is_too_short_signs_nothing() -> None:
    weak = rsa_pair(bits=1024)
    assert refused(redirect_query(Asks().xml(), None, weak), weak, must_sign=True) is Reason.SIGNATURE_INVALID


def test_sdp_idp32_a77_certificates_are_bare_keys_whose_dates_do_not_count() -> None:
    """The provider of these tests has a certificate that expired in 2021: both bindings verify with it."""
    assert rsa_pair().certificate.not_valid_after_utc.year == 2021
    form = from_form({"SAMLRequest": posted(signed_message(Asks().xml(), rsa_pair()))})
    provider = SamlProvider(ENTITY_ID, (ACS,), (rsa_pair().pem,), require_signed_requests=True)
    assert known(opened(form), [saml_app(provider)], ENDPOINT).asker.acs_url == ACS


def test_xa18_only_what_was_signed_is_read() -> None:
    form = from_form({"SAMLRequest": posted(signed_message(Asks(acs_url=None).xml(), rsa_pair()))})
    received = opened(form)
    provider = SamlProvider(ENTITY_ID, (ACS,), (rsa_pair().pem,))
    judged = known(received, [saml_app(provider)], ENDPOINT)
    assert judged.request is not received.request
    assert judged.request == received.request
