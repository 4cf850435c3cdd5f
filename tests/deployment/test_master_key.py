"""The master key: made whole or not at all, for its owner alone, and never made where one was lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward.deployment import SettingError, load


def test_the_first_start_makes_the_key_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    first = load({"data": str(data)}, {})
    assert len(first.master_key) == 32
    assert (data / "master.key").stat().st_mode & 0o777 == 0o600
    assert data.stat().st_mode & 0o777 == 0o700
    assert first.sources["master_key"].startswith("made at")
    second = load({"data": str(data)}, {})
    assert second.master_key == first.master_key
    assert second.sources["master_key"] == str(data / "master.key")


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    keys = {load({"data": str(tmp_path / str(number))}, {}).master_key for number in range(5)}
    assert len(keys) == 5


def test_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load({"data": str(tmp_path)}, {}).master_key, range(16)))
    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["master.key"]  # noqa: PTH208 - hidden files count


def test_a_lost_key_is_not_replaced_where_one_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"master\.key does not exist"):
        load({"data": str(tmp_path)}, {}, may_create=False)
    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 32, b"=" * 44])
def test_a_damaged_key_stops_the_start_and_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    with pytest.raises(SettingError, match="master_key"):
        load({"data": str(tmp_path)}, {})
    assert path.read_bytes() == content


def test_a_key_that_is_given_makes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n")
    found = load({"data": str(tmp_path / "data")}, {"DOORWARD_MASTER_KEY_FILE": str(file)})
    assert found.master_key == b"k" * 32
    assert not (tmp_path / "data" / "master.key").exists()
