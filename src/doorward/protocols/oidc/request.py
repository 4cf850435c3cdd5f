"""An accepted authorization request: every check of `accept.py` has passed, and nothing hostile is left in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from doorward.apps import App, AppId, OidcClient
from doorward.clock import Instant
from doorward.protocols.oidc.names import Prompt


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client: its application, and what is registered of OpenID Connect."""

    app: App
    oidc: OidcClient


@dataclass(frozen=True, slots=True)
class Addressed:
    """A known client and a registered address: from here on the client may be told what is wrong."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asked for. `scope` holds what it gets of it, `subject` whom it expects (id_token_hint).

    `max_age` is in seconds. `wants_mfa` is the voluntary wish of acr_values (OIDC Core §3.1.2.1).
    """

    app_id: AppId
    redirect_uri: str
    state: str | None
    scope: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    prompts: tuple[Prompt, ...]
    max_age: int | None
    subject: str | None
    login_hint: str
    wants_mfa: bool
    accepted_at: Instant

    @property
    def is_silent(self) -> bool:
        """Whether no page may be shown (prompt=none)."""
        return Prompt.NONE in self.prompts

    @property
    def asks_to_sign_in(self) -> bool:
        """Whether somebody must sign in even with a session. An account is chosen on the page of the name."""
        return Prompt.LOGIN in self.prompts or Prompt.SELECT_ACCOUNT in self.prompts


def request_to_json(request: AuthorizationRequest) -> dict[str, object]:
    """Write a request for its row."""
    return {
        "app_id": request.app_id,
        "redirect_uri": request.redirect_uri,
        "state": request.state,
        "scope": list(request.scope),
        "nonce": request.nonce,
        "code_challenge": request.code_challenge,
        "prompts": [prompt.value for prompt in request.prompts],
        "max_age": request.max_age,
        "subject": request.subject,
        "login_hint": request.login_hint,
        "wants_mfa": request.wants_mfa,
        "accepted_at": request.accepted_at,
    }


def request_from_json(saved: Mapping[str, object]) -> AuthorizationRequest:
    """Read a request that `request_to_json` wrote."""
    return AuthorizationRequest(
        app_id=AppId(cast("str", saved["app_id"])),
        redirect_uri=cast("str", saved["redirect_uri"]),
        state=cast("str | None", saved["state"]),
        scope=tuple(cast("Sequence[str]", saved["scope"])),
        nonce=cast("str | None", saved["nonce"]),
        code_challenge=cast("str | None", saved["code_challenge"]),
        prompts=tuple(Prompt(value) for value in cast("Sequence[str]", saved["prompts"])),
        max_age=cast("int | None", saved["max_age"]),
        subject=cast("str | None", saved["subject"]),
        login_hint=cast("str", saved["login_hint"]),
        wants_mfa=cast("bool", saved["wants_mfa"]),
        accepted_at=cast("int", saved["accepted_at"]),
    )
