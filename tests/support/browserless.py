"""A browser without a screen: keeps cookies, follows redirects, fills in forms by the names of their fields.

`Browser.submit("Continue", username="alice")` presses the button of that name in the present page. Forms that a page
would send by script (SAML's POST binding) are sent by pressing their one button, as a person without JavaScript does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast
from urllib.parse import urljoin, urlsplit

import httpx2
import lxml.html
import pyotp

_MOST_HOPS = 20
_BUTTONS = './/button[not(@type) or @type="submit"] | .//input[@type="submit"]'


@dataclass(slots=True)
class Browser:
    """One browser with its cookies. `page` is the last answer that was not a redirect."""

    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(trust_env=False, timeout=30, verify=False))
    page: httpx2.Response | None = None
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)  # by host: ports share cookies, as in browsers
    trail: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def url(self) -> str:
        """The address of the present page."""
        return str(self._present().url)

    @property
    def path(self) -> str:
        """The path of the present page."""
        return urlsplit(self.url).path

    @property
    def status(self) -> int:
        """The status of the present page."""
        return self._present().status_code

    @property
    def html(self) -> str:
        """The present page as it came."""
        return self._present().text

    @property
    def text(self) -> str:
        """What a person reads on the present page, with single spaces."""
        body = self.tree().find("body")
        return " ".join((body if body is not None else self.tree()).text_content().split())

    @property
    def heading(self) -> str:
        """The one h1 of the present page."""
        [h1] = self.tree().xpath("//h1")
        return " ".join(h1.text_content().split())

    @property
    def alert(self) -> str | None:
        """The sentence of the present page that has role=alert."""
        found = self.tree().xpath('//*[@role="alert"]')
        return " ".join(found[0].text_content().split()) if found else None

    def tree(self) -> lxml.html.HtmlElement:
        """The present page as elements."""
        return lxml.html.document_fromstring(self._present().text)

    def open(self, url: str, **query: str) -> Self:
        """Go to an address, as if it was typed."""
        return self._go("GET", urljoin(self.url, url) if self.page else url, params=query or None, site="none")

    def follow(self, text: str) -> Self:
        """Follow the link that has `text` in it."""
        links = [a for a in self.tree().xpath("//a[@href]") if text in " ".join(a.text_content().split())]
        assert links, f"no link {text!r} on {self.url}: {self.text[:2000]}"
        return self._go("GET", urljoin(self.url, str(links[0].get("href"))), site=None)

    def form(self, button: str | None = None) -> tuple[lxml.html.FormElement, dict[str, str]]:
        """Find the form whose submit button has `button` in it (None: the only form with a button), and its fields."""
        candidates = []
        for form in self.tree().forms:
            for pressed in form.xpath(_BUTTONS):
                shown = " ".join((pressed.text_content() or pressed.get("value") or "").split())
                label = pressed.get("aria-label") or ""
                if button is None or button in shown or button in label:
                    candidates.append((form, pressed))
        assert candidates, f"no button {button!r} on {self.url}: {self.text[:2000]}"
        form, pressed = candidates[0]
        fields = {str(name): str(value) for name, value in form.form_values()}
        if pressed.get("name"):
            fields[pressed.get("name")] = pressed.get("value") or ""
        return form, fields

    def submit(self, button: str | None = None, **fields: str) -> Self:
        """Fill in fields by name and press a button."""
        form, values = self.form(button)
        unknown = set(fields) - {str(element.get("name")) for element in form.xpath(".//*[@name]")}
        assert not unknown, f"no field {unknown} on {self.url}: {self.text[:2000]}"
        values.update(fields)
        target = urljoin(self.url, form.get("action") or self.url)
        if (form.get("method") or "get").lower() == "get":
            return self._go("GET", target, params=values, site=None)
        return self._go("POST", target, data=values, site=None)

    def post(self, url: str, data: Mapping[str, str]) -> Self:
        """Send a form of our own making."""
        return self._go("POST", urljoin(self.url, url) if self.page else url, data=dict(data), site=None)

    def _present(self) -> httpx2.Response:
        assert self.page is not None, "no page is open yet"
        return self.page

    def _go(
        self,
        method: str,
        url: str,
        *,
        site: str | None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> Self:
        origin = None if self.page is None else _origin(str(self.page.url))
        self.trail = []
        for _hop in range(_MOST_HOPS):
            headers = {"sec-fetch-site": site or _site(origin, url), "sec-fetch-mode": "navigate"}
            headers |= {"sec-fetch-dest": "document", "accept": "text/html,*/*;q=0.8"}
            if method == "POST" and origin is not None:
                headers["origin"] = origin
            host = urlsplit(url).hostname or ""
            if kept := self.cookies.get(host):
                headers["cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
            answer = self.client.request(method, url, params=params, data=data, headers=headers)
            self._keep_cookies(host, answer)
            self.trail.append(f"{method} {url} {answer.status_code}")
            if not answer.has_redirect_location:
                self.page = answer
                return self
            if answer.status_code not in {307, 308}:
                method, data = "GET", None
            url, params = urljoin(str(answer.url), answer.headers["location"]), None
        raise AssertionError(f"too many redirects: {self.trail}")

    def _keep_cookies(self, host: str, answer: httpx2.Response) -> None:
        """Keep cookies by host. Python's own jar drops those that name the domain localhost, which browsers take."""
        self.client.cookies.clear()
        kept = self.cookies.setdefault(host, {})
        for header in answer.headers.get_list("set-cookie"):
            pair, *attributes = header.split(";")
            name, _, value = pair.strip().partition("=")
            kept[name] = value
            gone = {"max-age=0", "expires=thu, 01 jan 1970 00:00:00 gmt", "expires=thu, 01-jan-1970 00:00:00 gmt"}
            if any(attribute.strip().lower() in gone for attribute in attributes):
                del kept[name]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(origin: str | None, url: str) -> str:
    """Say how a browser would describe the way from one origin to an address (sites ignore the port)."""
    if origin is None:
        return "none"
    if origin == _origin(url):
        return "same-origin"
    one, other = urlsplit(origin), urlsplit(url)
    return "same-site" if (one.scheme, one.hostname) == (other.scheme, other.hostname) else "cross-site"


@dataclass(frozen=True, slots=True)
class Account:
    """What one person of a test types."""

    username: str
    password: str
    secret: str | None = None

    def code(self, now_ms: int | None = None) -> str:
        """The code that the person's authenticator app shows at an instant (None: now)."""
        assert self.secret is not None, "this person has no authenticator"
        seconds = time.time() if now_ms is None else now_ms / 1000  # noqa: TID251 - a real client's clock
        return pyotp.TOTP(self.secret, interval=60).at(int(seconds))


def sign_in(browser: Browser, account: Account, now_ms: int | None = None) -> Browser:
    """Go through the whole sign-in from its first page: name, password, method, code."""
    assert browser.heading == "Sign in", browser.text
    browser.submit("Continue", username=account.username)
    browser.submit("Login", password=account.password)
    assert browser.heading == "Verify your identity", browser.text
    browser.submit("Authenticator app")
    browser.submit("Verify", code=account.code(now_ms))
    return cast("Browser", browser)
