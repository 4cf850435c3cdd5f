"""What an application is told of a person: name identifier and attributes, by the sources of apps/values.py. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from doorward.apps import App, SamlProvider
from doorward.apps.values import groups_out, resolve
from doorward.directory import Person
from doorward.protocols.saml.build import Attribute, is_xml_text
from doorward.protocols.saml.names import NAME_FORMAT_BASIC, NAME_FORMAT_UNSPECIFIED, NAME_FORMAT_URI

_MAX_NAME_ID: Final = 256  # SAML Core §8.3.7 sets it for persistent identifiers; providers keep no longer ones
_NAME_FORMATS: Final[Mapping[str | None, str]] = {
    None: NAME_FORMAT_BASIC,
    "basic": NAME_FORMAT_BASIC,
    "uri": NAME_FORMAT_URI,
    "unspecified": NAME_FORMAT_UNSPECIFIED,
}


def name_id_for(provider: SamlProvider, person: Person, groups: Collection[str], app: App) -> str | None:
    """Give the name identifier, or None where the person has none that can be told unchanged.

    A name that would have to be altered, or is one of several, could be taken for somebody else's.
    """
    values = resolve(provider.name_id_from, person, groups, app)
    if len(values) != 1 or not values[0] or len(values[0]) > _MAX_NAME_ID or not is_xml_text(values[0]):
        return None
    return values[0]


def attributes_for(provider: SamlProvider, person: Person, groups: Collection[str], app: App) -> tuple[Attribute, ...]:
    """Give the attributes that the application's configuration names, and no others (RS-12).

    An attribute of which the person has no value is left out.
    """
    made = [
        Attribute(name, _NAME_FORMATS[rule.name_format], tuple(resolve(rule.source, person, groups, app)))
        for name, rule in provider.attributes.items()
    ]
    if provider.groups_attribute is not None:
        made.append(Attribute(provider.groups_attribute, NAME_FORMAT_BASIC, tuple(groups_out(groups, app))))
    return tuple(attribute for attribute in made if attribute.values)
