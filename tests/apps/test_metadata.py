"""A service provider's metadata: SM-06 to SM-09, and what hostile XML gets."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from doorward.apps.metadata import BadMetadata, read_metadata
from support.app_samples import certificate

PEM = certificate()
WEAK_BITS = 1024


def base64_of(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def key(use: str = "", pem: str = PEM) -> str:
    return (
        f"<md:KeyDescriptor {use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{base64_of(pem)}\n"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


POST = (
    '<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{}" {}/>'
)


def metadata(inside: str = "", acs: str = POST.format("https://sp.example/acs?so=1", ""), role: str = "") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="urn:sp">
  <md:Extensions><x:y xmlns:x="urn:unknown"/></md:Extensions>
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" {role}>
    {inside}
    {acs}
  </md:SPSSODescriptor>
</md:EntityDescriptor>"""


def test_sm07_what_is_needed_is_read_and_unknown_extensions_do_not_matter() -> None:
    logout = '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://sp.example/slo"/>'
    read = read_metadata(
        metadata(key('use="signing"') + key('use="encryption"') + logout, role='AuthnRequestsSigned="true"')
    )
    assert read.entity_id == "urn:sp"
    assert read.acs_urls == ("https://sp.example/acs?so=1",)
    assert read.signing_certificates == (PEM,)
    assert read.encryption_certificate == PEM
    assert read.slo_url == "https://sp.example/slo"
    assert read.require_signed_requests


def test_sm06_a_key_without_use_counts_for_both() -> None:
    read = read_metadata(metadata(key()))
    assert read.signing_certificates == (PEM,)
    assert read.encryption_certificate == PEM


def test_the_default_address_comes_first_and_other_bindings_are_left_out() -> None:
    artifact = '<md:AssertionConsumerService index="9" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://sp.example/a"/>'
    services = (
        POST.format("https://sp.example/1", 'isDefault="false"').replace('"0"', '"1"', 1)
        + POST.format("https://sp.example/2", "").replace('"0"', '"2"', 1)
        + POST.format("https://sp.example/3", 'isDefault="true"').replace('"0"', '"3"', 1)
        + artifact
    )
    assert read_metadata(metadata(acs=services)).acs_urls == (
        "https://sp.example/3",
        "https://sp.example/2",
        "https://sp.example/1",
    )


def test_a72_a_demand_for_signatures_without_a_key_is_refused() -> None:
    with pytest.raises(BadMetadata, match="AuthnRequestsSigned"):
        read_metadata(metadata(key('use="encryption"'), role='AuthnRequestsSigned="1"'))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no XML"),
        ("<a/>", "begins with EntityDescriptor"),
        (metadata().replace("urn:sp", ""), "line 3: entityID"),
        (metadata(acs=""), "line 5: no AssertionConsumerService"),
        (metadata(acs=POST.format("http://sp.example/acs", "")), "line 7: http is accepted for loopback"),
        (metadata(acs=POST.format("javascript:alert(1)", "")), "line 7: "),
        (metadata(acs=POST.format("https://sp.example/acs", "") * 2), "line 7: a second AssertionConsumerService"),
        (metadata(key("").replace(base64_of(PEM), "AAAA")), "no certificate"),
        (metadata(key("", certificate(rsa.generate_private_key(65537, WEAK_BITS)))), "too weak"),
        (metadata().replace("SAML:2.0:protocol", "SAML:1.1:protocol"), "no SAML 2.0 service provider"),
        (metadata().replace("<md:Entity", "<!DOCTYPE a [<!ENTITY x 'y'>]><md:Entity", 1), "DOCTYPE"),
        (metadata().replace("urn:sp", "x" * 2_000_000), "at most 1024 KiB"),
        (metadata("<md:a/>" * 30_000), "at most 20000 elements"),
        (metadata("<a>" * 3000 + "</a>" * 3000), "no XML"),
        ("\0" + metadata(), "DOCTYPE"),
    ],
)
def test_sm08_sm09_bad_metadata_is_refused_with_its_line_in_bounded_time(text: str, reason: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadMetadata, match=reason):
        read_metadata(text)
    assert time.monotonic() - began < 2


def test_a_second_service_provider_is_never_chosen_silently() -> None:
    one = metadata().partition("?>")[2]
    both = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{one}{one}</md:EntitiesDescriptor>'
    with pytest.raises(BadMetadata, match="second service provider"):
        read_metadata(both)
    single = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{one}</md:EntitiesDescriptor>'
    assert read_metadata(single).entity_id == "urn:sp"


def test_a70_a_comment_does_not_cut_a_value() -> None:
    text = metadata(key()).replace(base64_of(PEM), base64_of(PEM)[:40] + "<!-- -->" + base64_of(PEM)[40:])
    assert read_metadata(text).signing_certificates == (PEM,)
