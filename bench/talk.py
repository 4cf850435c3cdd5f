"""A small HTTP client for preparing what is measured: one connection, one request at a time, cookies by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlencode

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: str

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers["location"]


@dataclass(slots=True)
class Talker:
    """One browser: a kept connection and its cookies. `authority` is what stands in Host."""

    port: int
    authority: str
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    def get(self, path: str) -> bytes:
        """Write a GET as this browser sends it."""
        return self._request("GET", path, "")

    def post(self, path: str, fields: dict[str, str]) -> bytes:
        """Write a form's POST as this browser sends it."""
        return self._request("POST", path, urlencode(fields))

    async def send(self, request: bytes) -> Answer:
        """Send one request, read its answer, keep its cookies."""
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition("=")
                cookies[cookie] = content.partition(";")[0]
            elif name:
                headers[name.lower()] = value.strip()
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            await self.close()
        self.cookies |= cookies
        return Answer(int(head[0].split(" ")[1]), headers, cookies, body.decode("utf-8", "replace"))

    async def close(self) -> None:
        """Close the connection; the cookies stay."""
        if self.writer is not None:
            self.writer.close()
        self.reader, self.writer = None, None

    def _request(self, method: str, path: str, body: str) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.authority}",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) doorward-bench",
            "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "Accept-Language: en-GB,en;q=0.5",
            "Sec-Fetch-Site: same-origin",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            lines += [f"Origin: http://{self.authority}", "Content-Type: application/x-www-form-urlencoded"]
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")
