"""Codes under pressure: one redemption wins, whatever runs beside it, on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from doorward.clock import MINUTE
from doorward.protocols.oidc import grants
from doorward.protocols.oidc.grants import Grant, NoGrant, Spent
from doorward.store import open_database
from support.oidc import World, code_of

AT_ONCE = 50


def test_tk09_of_fifty_parallel_redemptions_one_wins(world_anywhere: World) -> None:
    world = world_anywhere
    client, code = world.client(), code_of(world.browser(world.person).authorize())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: client.redeem(code), range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert {answer.json()["error"] for answer in answers if answer is not won} == {"invalid_grant"}
    # The others were second uses, so what the winner got is void already (RFC 6749 §4.1.2).
    assert client.userinfo(won.json()["access_token"]).status_code == 401


def test_bc07_of_several_processes_one_redeems(world_anywhere: World) -> None:
    """Each thread has a database of its own, as the workers of a deployment do."""
    world = world_anywhere
    code = code_of(world.browser(world.person).authorize())
    url, vault, app_id, now = world.site.deployment.database, world.vault, world.board.id, world.clock()

    def redeem(_number: int) -> str:
        async def once() -> str:
            database = open_database(url)
            try:
                taken = await database.write(lambda c: grants.redeem(c, vault, code, app_id, now))
            finally:
                await database.close()
            return type(taken).__name__

        return asyncio.run(once())

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(redeem, range(16)))
    assert found == {Grant.__name__: 1, Spent.__name__: 15}


def test_a_grant_that_was_never_redeemed_cannot_be_revoked_by_guessing(world: World) -> None:
    code = code_of(world.browser(world.person).authorize())
    world.clock.advance(2 * MINUTE)
    taken = world.write(lambda c: grants.redeem(c, world.vault, code, world.board.id, world.clock()))
    assert isinstance(taken, NoGrant)
    [row] = world.rows("oidc_grants")
    assert row["revoked_at"] is None


def test_a_launch_is_recorded_with_its_code(world_anywhere: World) -> None:
    world = world_anywhere
    browser = world.browser(world.person)
    for _ in range(3):
        code_of(browser.authorize())
        world.clock.advance(MINUTE)
    assert [action for action, _ in world.audit()].count("app.launched") == 3
    [opened] = world.rows("session_apps")
    assert (opened["session_id"], opened["app_id"]) == (browser.session_id, world.board.id)
    [launch] = world.rows("launches")
    assert launch["opened_at"] == world.clock() - MINUTE
    assert len(world.rows("oidc_grants")) == 3
