"""Makes the XML attack corpus: `PYTHONPATH=tests .venv/bin/python tests/standards/saml/corpus/make.py` renews it.

Each file is one message as it arrives by the POST binding. `expected.json` says for each what it must lead to: a
reason of refusal, or `accepted` for the few that show that the way is open. The provider's certificate lies beside
them; its key was thrown away. The attacker has a key and certificate too, which were never registered.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from support.saml import ACS, DS, NAMES, SAMLP, Asks, certified, signed_message

HERE = Path(__file__).parent
MALFORMED, NOT_XML, MARKUP = "malformed", "not_xml", "markup_refused"
INVALID, ALGORITHM, ENCODING, LARGE = "signature_invalid", "signature_algorithm", "encoding", "too_large"
OURS = certified(rsa.generate_private_key(65537, 2048))
ATTACKER = certified(rsa.generate_private_key(65537, 2048), "attacker.example")

SIGNED = signed_message(Asks(id="_signed").xml(), OURS)
PLAIN = Asks(id="_plain").xml().decode()

files: dict[str, tuple[bytes, str]] = {}


def put(name: str, octets: bytes | str, reason: str) -> None:
    """Add a file."""
    files[name] = (octets if isinstance(octets, bytes) else octets.encode(), reason)


def tree(octets: bytes = SIGNED) -> etree._Element:
    """Read a message anew."""
    return etree.fromstring(octets)


def written(root: etree._Element) -> bytes:
    """Write a message."""
    return etree.tostring(root)


def evil(name: str = "_evil") -> etree._Element:
    """Make a forged request without a signature."""
    return tree(Asks(id=name, more={"ForceAuthn": "false", "IsPassive": "true"}).xml())


def signature_of(root: etree._Element) -> etree._Element:
    """Take the signature out of a message."""
    signature = root.find("ds:Signature", NAMES)
    root.remove(signature)
    return signature


def extensions(root: etree._Element) -> etree._Element:
    """Give a message Extensions behind its Issuer."""
    made = etree.Element(f"{{{SAMLP}}}Extensions")
    root.find("saml:Issuer", NAMES).addnext(made)
    return made


def ds_object(signature: etree._Element) -> etree._Element:
    """Give a signature an Object."""
    return etree.SubElement(signature, f"{{{DS}}}Object")


def extended(inside: str) -> str:
    """Give a plain message Extensions that hold `inside`."""
    return PLAIN.replace("</samlp:", f"<samlp:Extensions>{inside}</samlp:Extensions></samlp:")


def open_ways() -> None:
    """What must pass, so that a corpus that refuses everything does not pass for a good one."""
    put("ok-plain.xml", PLAIN, "accepted")
    put("ok-signed.xml", SIGNED, "accepted")
    put("ok-declaration.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{PLAIN}\n', "accepted")
    put("ok-namespaces.xml", PLAIN.replace("samlp", "q").replace("saml:", "s:").replace(":saml=", ":s="), "accepted")


def doctypes() -> None:
    """XA-01 to XA-05."""
    issuer = "https://wiki.example/saml"
    with_entity = PLAIN.replace(f">{issuer}<", ">&e;<")
    put("xa01-doctype.xml", f"<!DOCTYPE samlp:AuthnRequest>{PLAIN}", MARKUP)
    put("xa01-doctype-public.xml", f'<!DOCTYPE a PUBLIC "-//A//B" "http://127.0.0.1:9/a.dtd">{PLAIN}', MARKUP)
    put("xa02-file-entity.xml", f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>{with_entity}', MARKUP)
    put("xa02-http-entity.xml", f'<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1:9/c">]>{with_entity}', MARKUP)
    put("xa02-undeclared-entity.xml", with_entity, NOT_XML)
    put(
        "xa03-parameter-entity.xml",
        f'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]>{PLAIN}',
        MARKUP,
    )
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    put(
        "xa04-billion-laughs.xml",
        f'<!DOCTYPE a [<!ENTITY l0 "lol">{laughs}]>{PLAIN.replace(f">{issuer}<", ">&l9;<")}',
        MARKUP,
    )
    blow_up = PLAIN.replace(f">{issuer}<", f">{'&e;' * 5000}<")
    put("xa04-quadratic.xml", f'<!DOCTYPE a [<!ENTITY e "{"a" * 30_000}">]>{blow_up}', MARKUP)
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    put("xa05-xinclude.xml", PLAIN.replace(issuer, include), MALFORMED)


def transforms() -> None:
    """XA-06 to XA-08, XA-14: what stands in SignedInfo."""
    xslt = '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'
    for name, algorithm, inner in (
        ("xa06-xslt.xml", "http://www.w3.org/TR/1999/REC-xslt-19991116", xslt),
        ("xa06-xpath.xml", "http://www.w3.org/TR/1999/REC-xpath-19991116", f'<XPath xmlns="{DS}">1</XPath>'),
        ("xa06-xpath-filter2.xml", "http://www.w3.org/2002/06/xmldsig-filter2", ""),
        ("xa06-base64.xml", f"{DS}base64", ""),
        ("xa15-inclusive-c14n.xml", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", ""),
        ("xa15-c14n-with-comments.xml", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", ""),
    ):
        root = tree()
        transform = root.findall(".//ds:Transform", NAMES)[1]
        transform.set("Algorithm", algorithm)
        if inner:
            transform.append(etree.fromstring(inner))
        put(name, written(root), INVALID)
    for name, uri in (
        ("xa07-empty-uri.xml", ""),
        ("xa07-external-uri.xml", "http://127.0.0.1:9/signed.xml"),
        ("xa07-file-uri.xml", "file:///etc/passwd"),
        ("xa07-xpointer.xml", "#xpointer(/)"),
        ("xa07-xpointer-id.xml", "#xpointer(id('_signed'))"),
        ("xa07-other-id.xml", "#_other"),
    ):
        root = tree()
        root.find(".//ds:Reference", NAMES).set("URI", uri)
        put(name, written(root), INVALID)
    root = tree()
    del root.find(".//ds:Reference", NAMES).attrib["URI"]
    put("xa07-no-uri.xml", written(root), INVALID)
    root = tree()
    reference = root.find(".//ds:Reference", NAMES)
    reference.addnext(deepcopy(reference))
    put("xa08-two-references.xml", written(root), INVALID)
    root = tree()
    reference = root.find(".//ds:Reference", NAMES)
    reference.getparent().remove(reference)
    put("xa08-no-reference.xml", written(root), INVALID)
    root = tree()
    c14n = root.find(".//ds:CanonicalizationMethod", NAMES)
    c14n.set("Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
    put("xa15-inclusive-c14n-of-signed-info.xml", written(root), INVALID)


def algorithms() -> None:
    """SR-05, XA-14: weak and confused algorithms."""
    for name, algorithm in (
        ("sr05-rsa-sha1.xml", f"{DS}rsa-sha1"),
        ("sr05-dsa-sha1.xml", f"{DS}dsa-sha1"),
        ("sr05-rsa-md5.xml", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ("sr05-unknown.xml", "urn:none"),
    ):
        root = tree()
        root.find(".//ds:SignatureMethod", NAMES).set("Algorithm", algorithm)
        put(name, written(root), ALGORITHM)
    root = tree()
    root.find(".//ds:DigestMethod", NAMES).set("Algorithm", f"{DS}sha1")
    put("sr05-digest-sha1.xml", written(root), ALGORITHM)
    for name, length in (("xa14-hmac.xml", None), ("xa14-hmac-0.xml", "0"), ("xa14-hmac-1.xml", "1")):
        root = tree()
        method = root.find(".//ds:SignatureMethod", NAMES)
        method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
        if length is not None:
            etree.SubElement(method, f"{{{DS}}}HMACOutputLength").text = length
        info = etree.tostring(root.find(".//ds:SignedInfo", NAMES), method="c14n", exclusive=True)
        made = hmac.HMAC(OURS.pem.encode(), hashes.SHA256())
        made.update(info)
        root.find(".//ds:SignatureValue", NAMES).text = made.finalize().hex()
        put(name, written(root), ALGORITHM)


def wrapping() -> None:
    """XA-09: XSW1 to XSW8, as they are for a message whose root is signed."""
    for number, inside_signature in ((1, True), (2, False)):
        original, forged = tree(), evil()
        signature = signature_of(original)
        forged.find("saml:Issuer", NAMES).addnext(signature)
        if inside_signature:
            signature.append(original)
        else:
            signature.addprevious(original)
        put(f"xa09-xsw{number}.xml", written(forged), MALFORMED)
    forged = evil()
    forged.find("saml:Issuer", NAMES).addprevious(tree())
    put("xa09-xsw3.xml", written(forged), MALFORMED)
    original, forged = tree(), evil()
    forged.append(original)
    forged.find("saml:Issuer", NAMES).addnext(signature_of(original))
    put("xa09-xsw4.xml", written(forged), MALFORMED)
    original = tree()
    extensions(original).append(evil("_signed"))
    put("xa09-xsw5.xml", written(original), MALFORMED)
    original, forged = tree(), evil()
    signature = signature_of(original)
    forged.find("saml:Issuer", NAMES).addnext(signature)
    ds_object(signature).append(original)
    put("xa09-xsw6.xml", written(forged), MALFORMED)
    forged = evil()
    extensions(forged).append(tree())
    put("xa09-xsw7.xml", written(forged), MALFORMED)
    original, forged = tree(), evil()
    signature = signature_of(original)
    extensions(forged).append(signature)
    ds_object(signature).append(original)
    put("xa09-xsw8.xml", written(forged), MALFORMED)
    # The forged message says that it is the signed one.
    original, forged = tree(), evil("_signed")
    signature = signature_of(original)
    forged.find("saml:Issuer", NAMES).addnext(signature)
    put("xa09-same-id.xml", written(forged), INVALID)
    # The original hidden under another name, so that no request stands within the request.
    original, forged = tree(), evil()
    signature = signature_of(original)
    forged.find("saml:Issuer", NAMES).addnext(signature)
    original.tag = "{urn:x}AuthnRequest"
    extensions(forged).append(original)
    put("xa09-renamed.xml", written(forged), INVALID)


def identifiers() -> None:
    """XA-10 to XA-13."""
    root = tree()
    etree.SubElement(extensions(root), "{urn:x}a").set("ID", "_signed")
    put("xa10-duplicate-id.xml", written(root), MALFORMED)
    for name, attribute in (("Id", "Id"), ("id", "id"), ("xml-id", "{http://www.w3.org/XML/1998/namespace}id")):
        root = tree()
        etree.SubElement(extensions(root), "{urn:x}a").set(attribute, "_signed")
        put(f"xa11-{name}.xml", written(root), MALFORMED)
    root = tree(
        Asks(id="_plain", inside='<samlp:Extensions><x:a xmlns:x="urn:x" ID="_inner"/></samlp:Extensions>').xml()
    )
    signature = signature_of(tree())
    signature.find(".//ds:Reference", NAMES).set("URI", "#_inner")
    root.find("saml:Issuer", NAMES).addnext(signature)
    put("xa12-other-element.xml", written(root), INVALID)
    root = tree()
    extensions(root).append(signature_of(root))
    put("xa12-signature-elsewhere.xml", written(root), INVALID)
    root = tree()
    root.append(deepcopy(root.find("ds:Signature", NAMES)))
    put("xa12-two-signatures.xml", written(root), INVALID)
    put("xa13-attackers-certificate.xml", signed_message(Asks(id="_signed").xml(), ATTACKER), INVALID)
    root = tree(signed_message(Asks(id="_signed").xml(), ATTACKER))
    root.find(".//ds:X509Certificate", NAMES).text = tree().find(".//ds:X509Certificate", NAMES).text
    put("xa13-attackers-key-our-certificate.xml", written(root), INVALID)
    root = tree()
    root.set("IsPassive", "true")
    put("xa13-changed-after-signing.xml", written(root), INVALID)
    root = tree()
    root.find(".//ds:SignatureValue", NAMES).text = ""
    put("xa13-empty-value.xml", written(root), INVALID)
    root = tree()
    info = root.find(".//ds:SignedInfo", NAMES)
    info.getparent().remove(info)
    put("xa13-no-signed-info.xml", written(root), INVALID)


def markup() -> None:
    """XA-15 to XA-17, and A70."""
    issuer = "https://wiki.example/saml"
    text = SIGNED.decode()
    put("xa15-comment-in-issuer.xml", PLAIN.replace(issuer, f"{issuer}<!-- -->.evil"), MARKUP)
    put("xa15-comment-in-signed.xml", text.replace(issuer, f"{issuer}<!---->", 1), MARKUP)
    put("xa15-cdata.xml", PLAIN.replace(issuer, f"<![CDATA[{issuer}]]>"), MARKUP)
    put("xa15-redeclared-namespace.xml", text.replace("<saml:Issuer>", '<saml:Issuer xmlns:saml="urn:x">', 1), "issuer")
    put("xa15-void-namespace.xml", text.replace("<samlp:AuthnRequest ", '<samlp:AuthnRequest xmlns:x="" ', 1), NOT_XML)
    put("xa15-relative-namespace.xml", text.replace("<saml:Issuer>", '<saml:Issuer xmlns:x="./a" x:a="1">', 1), INVALID)
    put("xa15-xml-attribute.xml", text.replace("<saml:Issuer>", '<saml:Issuer xml:base="http://evil/">', 1), INVALID)
    put("xa15-doubled-attribute.xml", PLAIN.replace('Version="2.0"', 'Version="2.0" Version="2.0"'), NOT_XML)
    polluted = text.replace('ID="_signed"', 'ID="_signed" x:ID="_signed" xmlns:x="urn:x"', 1)
    put("xa15-attribute-pollution.xml", polluted, MALFORMED)
    put(
        "xa15-two-issuers.xml",
        PLAIN.replace("</saml:Issuer>", f"</saml:Issuer><saml:Issuer>{issuer}</saml:Issuer>"),
        MALFORMED,
    )
    put("xa15-element-in-issuer.xml", PLAIN.replace(issuer, f"{issuer}<x xmlns=''/>"), MALFORMED)
    put("xa16-instruction.xml", PLAIN.replace(issuer, f"{issuer}<?x y?>"), MARKUP)
    put("xa16-instruction-first.xml", f"<?xml-stylesheet href='http://127.0.0.1:9/a.xsl'?>{PLAIN}", MARKUP)
    put("xa16-bom.xml", b"\xef\xbb\xbf" + PLAIN.encode(), ENCODING)
    put("xa16-utf16.xml", PLAIN.encode("utf-16"), ENCODING)
    put("xa16-utf16-without-bom.xml", PLAIN.encode("utf-16-le"), ENCODING)
    put("xa16-utf7.xml", b'<?xml version="1.0" encoding="UTF-7"?>' + PLAIN.replace("<", "+ADw-").encode(), MARKUP)
    put("xa16-latin1.xml", f'<?xml version="1.0" encoding="ISO-8859-1"?>{PLAIN}', MARKUP)
    put("xa16-xml11.xml", f'<?xml version="1.1"?>{PLAIN}', MARKUP)
    put("xa16-overlong.xml", PLAIN.encode().replace(issuer.encode(), b"\xc0\xbcscript"), ENCODING)
    put("xa16-surrogate.xml", PLAIN.encode().replace(b"Issuer>h", b"Issuer>\xed\xa0\x80", 1), ENCODING)
    put("xa16-nul.xml", PLAIN.encode().replace(issuer.encode(), b"a\0b"), ENCODING)
    put("xa16-character-zero.xml", PLAIN.replace(issuer, "a&#0;b"), NOT_XML)
    put("xa16-two-roots.xml", PLAIN + PLAIN, NOT_XML)
    put("xa16-empty.xml", "\n", NOT_XML)
    put("xa16-text.xml", "hello", NOT_XML)
    put("xa17-deep.xml", PLAIN.replace(issuer, "<a>" * 8_000 + "</a>" * 8_000), NOT_XML)
    put("xa17-nested-200.xml", extended("<a>" * 200 + "</a>" * 200), LARGE)
    many = "".join(f' a{n}="1"' for n in range(5_000))
    put("xa17-attributes.xml", PLAIN.replace("<saml:Issuer>", f"<saml:Issuer{many}>"), LARGE)
    put(
        "xa17-elements.xml",
        PLAIN.replace("</samlp:", f"<samlp:Extensions>{'<a/>' * 5_000}</samlp:Extensions></samlp:"),
        LARGE,
    )
    put("xa17-long-issuer.xml", PLAIN.replace(issuer, "a" * 2_000), LARGE)
    put("xa17-long-attribute.xml", Asks(acs_url=ACS + "a" * 2_000).xml(), LARGE)
    put("xa17-over-the-cap.xml", PLAIN.replace(issuer, "a" * 66_000), LARGE)


def other_messages() -> None:
    """XA-19: the type is checked before use."""
    for name in ("Response", "LogoutRequest", "LogoutResponse", "ArtifactResolve", "AttributeQuery", "NameIDPolicy"):
        put(f"xa19-{name}.xml", PLAIN.replace("samlp:AuthnRequest", f"samlp:{name}"), "not_a_request")
    put("xa19-assertion.xml", PLAIN.replace("samlp:AuthnRequest", "saml:AuthnRequest"), "not_a_request")
    put("xa19-saml1.xml", PLAIN.replace(SAMLP, "urn:oasis:names:tc:SAML:1.0:protocol"), "not_a_request")
    put("xa19-no-namespace.xml", "<AuthnRequest ID='_a' Version='2.0'/>", "not_a_request")


def main() -> None:
    """Write every file anew."""
    for part in (open_ways, doctypes, transforms, algorithms, wrapping, identifiers, markup, other_messages):
        part()
    for old in HERE.glob("*.xml"):
        old.unlink()
    for name, (octets, _reason) in files.items():
        (HERE / name).write_bytes(octets)
    (HERE / "provider.pem").write_text(OURS.pem, "ascii")
    expected = {name: reason for name, (_octets, reason) in sorted(files.items())}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
