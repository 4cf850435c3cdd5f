# Security: XML from outside is read here (tests/apps/test_metadata.py).
"""A service provider's metadata: what is read of it when an admin imports it (SAML Metadata §2.4.4).

Parts for features to come (logout address, encryption key) are kept; unknown extensions never break the import.
Import never weakens: a demand for signed requests without a key to check them is refused (ATTACKS 72).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from doorward.apps.certificates import BadCertificate, pem_of
from doorward.apps.rules import MAX_ENTITY_ID, service_refusal

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage] - lxml's own name for its type

MAX_BYTES: Final = 1024 * 1024
MAX_ELEMENTS: Final = 20_000

_MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_TRUE: Final = frozenset({"true", "1"})


class BadMetadata(ValueError):
    """Metadata that cannot be imported; the message names the line in it."""


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What metadata says of a service provider: `acs_urls` with the default one first, certificates in PEM."""

    entity_id: str
    acs_urls: tuple[str, ...]
    signing_certificates: tuple[str, ...]
    require_signed_requests: bool
    encryption_certificate: str | None
    slo_url: str | None


def read_metadata(text: str) -> ProviderMetadata:
    """Read the metadata of one service provider.

    Raises:
        BadMetadata: it is no such metadata, is too large, carries a DOCTYPE, or names an address that is refused.
    """
    entity, role = _provider(_parse(text))
    entity_id = (entity.get("entityID") or "").strip()
    if not 0 < len(entity_id) <= MAX_ENTITY_ID:
        raise BadMetadata(f"line {_line(entity)}: entityID has from 1 to {MAX_ENTITY_ID} characters")
    signing, encryption = _certificates(role)
    required = (role.get("AuthnRequestsSigned") or "false").strip() in _TRUE
    if required and not signing:
        raise BadMetadata(f"line {_line(role)}: AuthnRequestsSigned needs a KeyDescriptor for signing")
    return ProviderMetadata(
        entity_id=entity_id,
        acs_urls=_acs_urls(role),
        signing_certificates=signing,
        require_signed_requests=required,
        encryption_certificate=encryption,
        slo_url=_slo_url(role),
    )


def _parse(text: str) -> Element:
    # lxml costs a tenth of a second that only an import needs.
    from lxml import etree  # noqa: PLC0415 - quick start

    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise BadMetadata(f"metadata has at most {MAX_BYTES // 1024} KiB")
    # The declaration's encoding was used to read the text already; a second meaning of the same bytes is refused.
    if b"\0" in data or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise BadMetadata("metadata may not hold a DOCTYPE")
    if data.lstrip().startswith(b"<?xml"):
        data = data.lstrip().partition(b"?>")[2]
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadMetadata(f"this is no XML: {error.msg}") from error
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise BadMetadata(f"metadata has at most {MAX_ELEMENTS} elements")
    return root


def _provider(root: Element) -> tuple[Element, Element]:
    if root.tag not in {f"{_MD}EntityDescriptor", f"{_MD}EntitiesDescriptor"}:
        raise BadMetadata(f"line {_line(root)}: SAML metadata begins with EntityDescriptor")
    found = [
        (entity, role)
        for entity in root.iter(f"{_MD}EntityDescriptor")
        for role in entity.findall(f"{_MD}SPSSODescriptor")
        if _PROTOCOL in (role.get("protocolSupportEnumeration") or "").split()
    ]
    if not found:
        raise BadMetadata("this metadata describes no SAML 2.0 service provider (SPSSODescriptor)")
    if len(found) > 1:
        raise BadMetadata(f"line {_line(found[1][0])}: a second service provider; import them one by one")
    return found[0]


def _acs_urls(role: Element) -> tuple[str, ...]:
    services = role.findall(f"{_MD}AssertionConsumerService")
    seen: set[str] = set()
    ordered: list[tuple[int, int, str]] = []
    for position, service in enumerate(services):
        index = (service.get("index") or "").strip()
        if index in seen:
            raise BadMetadata(f"line {_line(service)}: a second AssertionConsumerService with the index {index}")
        seen.add(index)
        if service.get("Binding") != _POST:
            continue
        url = service.get("Location") or ""
        sentence = service_refusal(url)
        if sentence is not None:
            raise BadMetadata(f"line {_line(service)}: {sentence}")
        rank = {"true": 0, "1": 0, "false": 2, "0": 2}.get((service.get("isDefault") or "").strip(), 1)
        ordered.append((rank, position, url))
    if not ordered:
        raise BadMetadata(f"line {_line(role)}: no AssertionConsumerService with the HTTP-POST binding")
    return tuple(dict.fromkeys(url for _, _, url in sorted(ordered)))


def _certificates(role: Element) -> tuple[tuple[str, ...], str | None]:
    signing: list[str] = []
    encryption: list[str] = []
    for descriptor in role.findall(f"{_MD}KeyDescriptor"):
        use = descriptor.get("use")
        for certificate in descriptor.iter(f"{_DS}X509Certificate"):
            try:
                pem = pem_of(certificate.text or "")
            except BadCertificate as error:
                raise BadMetadata(f"line {_line(certificate)}: {error}") from error
            # Without `use` a key counts for both (SAML Metadata §2.4.1.1).
            if use in {None, "signing"}:
                signing.append(pem)
            if use in {None, "encryption"}:
                encryption.append(pem)
    return tuple(dict.fromkeys(signing)), next(iter(encryption), None)


def _slo_url(role: Element) -> str | None:
    services = {
        service.get("Binding"): service.get("Location") for service in role.findall(f"{_MD}SingleLogoutService")
    }
    found = services.get(_REDIRECT) or services.get(_POST)
    return found if found is not None and service_refusal(found) is None else None


def _line(element: Element) -> int:
    return cast("int | None", element.sourceline) or 0
