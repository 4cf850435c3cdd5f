"""The metadata as it is served (SM-01, SM-04, SM-10)."""

from __future__ import annotations

from lxml import etree

from doorward.keys import KeyUse, published
from support.house import BASE, House
from support.saml import DS, NAMES
from support.saml_house import alice, answered, asks, redirected, wiki

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def test_sm10_metadata_has_its_type_and_is_not_sent_twice(house: House) -> None:
    page = house.browser().get("/saml/metadata")
    assert page.status_code == 200
    assert page.headers["content-type"] == "application/samlmetadata+xml"
    again = house.browser().get("/saml/metadata", **{"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert etree.fromstring(page.content).get("cacheDuration") is not None


def test_sm01_sm04_it_names_this_server_and_the_key_that_signs(house: House) -> None:
    """Asked for before anything was ever signed, it already holds the key: applications are set up first."""
    root = etree.fromstring(house.browser().get("/saml/metadata").content)
    assert root.get("entityID") == f"{BASE}/saml/metadata"
    assert {service.get("Location") for service in root.iter(f"{MD}SingleSignOnService")} == {f"{BASE}/saml/sso"}
    [certificate] = [element.text for element in root.iter(f"{{{DS}}}X509Certificate")]
    [key] = house.store.read(lambda c: published(c, KeyUse.SAML, house.clock()))
    assert certificate == key.certificate_base64
    wiki(house)
    sent = answered(redirected(house.signed_in(alice(house)), asks(house)))
    assert sent.response.findtext("ds:Signature//ds:X509Certificate", namespaces=NAMES) == certificate


def test_sr07_another_host_gets_no_metadata_of_its_own(house: House) -> None:
    page = house.browser().get("/saml/metadata", host="evil.example")
    assert "evil.example" not in page.text
    assert page.status_code in {307, 421}
