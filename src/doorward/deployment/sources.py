"""Where settings are written: flags over the environment over `doorward.toml`; secrets may lie in files."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from doorward.deployment.settings import BY_NAME, PREFIX, SETTINGS, Found, Setting, SettingError

SETTINGS_FILE: Final = "doorward.toml"


def gather(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, Found]:
    """Find each setting in the source that wins; settings without a value are absent."""
    from_flags = {
        name: Found(_known(name, "the command line", "--"), text, BY_NAME[name].flag)
        for name, text in flags.items()
        if text is not None
    }
    from_environment = _read_environment(environ)
    defaults = {s.name: Found(s, s.default, "default") for s in SETTINGS if s.default is not None}
    above = defaults | from_environment | from_flags
    from_file = _read_file(Path(above["data"].text).expanduser() / SETTINGS_FILE)
    return defaults | from_file | from_environment | from_flags


def _read_environment(environ: Mapping[str, str]) -> dict[str, Found]:
    given = {key: value for key, value in environ.items() if key.startswith(PREFIX)}
    found: dict[str, Found] = {}
    for key, value in given.items():
        name, is_file = _plain_name(key.removeprefix(PREFIX).lower())
        setting = _known(name if is_file else key.removeprefix(PREFIX).lower(), "the environment", PREFIX)
        if key != setting.variable + ("_FILE" if is_file else ""):
            raise SettingError(f"{key} from the environment is not a setting; did you mean {key.upper()}?")
        if is_file and setting.variable in given:
            raise SettingError(f"{setting.variable} and {key} are both set; keep one of them")
        found[name] = Found(setting, _secret_file(key, value) if is_file else value, key)
    return found


def _read_file(path: Path) -> dict[str, Found]:
    try:
        table = cast("Mapping[str, object]", tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read ({error}); make it a readable UTF-8 file") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not TOML: {error}") from error
    found: dict[str, Found] = {}
    for key, value in table.items():
        name, is_file = _plain_name(key)
        setting = _known(name, str(path), "")
        if not setting.in_file:
            raise SettingError(f"{name} cannot stand in {path}, which lies in that folder; use {setting.flag}")
        if name in found:
            raise SettingError(f"{name} and {name}_file both stand in {path}; keep one of them")
        text = _toml_text(path, key, value)
        found[name] = Found(setting, _secret_file(key, text) if is_file else text, str(path))
    return found


def _plain_name(name: str) -> tuple[str, bool]:
    """Split `master_key_file` into the secret's name and whether a file holds it."""
    stem = name.removesuffix("_file")
    is_file = name not in BY_NAME and stem != name and stem in BY_NAME and BY_NAME[stem].is_secret
    return (stem, True) if is_file else (name, False)


def _known(name: str, source: str, prefix: str) -> Setting:
    if name in BY_NAME:
        return BY_NAME[name]
    written = _written(name, prefix)
    near = difflib.get_close_matches(name, BY_NAME, n=1)
    hint = (
        f"; did you mean {_written(near[0], prefix)}?" if near else "; remove it, `doorward doctor` lists those known"
    )
    raise SettingError(f"{written} from {source} is not a setting{hint}")


def _written(name: str, prefix: str) -> str:
    if prefix == PREFIX:
        return prefix + name.upper()
    return prefix + name.replace("_", "-") if prefix else name


def _toml_text(path: Path, key: str, value: object) -> str:
    match value:
        case bool():
            raise SettingError(f"{key} in {path} is true or false; it needs a text or a number")
        case str():
            return value
        case int():
            return str(value)
        case list():
            return ",".join(_toml_text(path, key, item) for item in cast("list[object]", value))
        case _:
            raise SettingError(f"{key} in {path} needs a text, a number or a list of texts")


def _secret_file(key: str, path: str) -> str:
    try:
        text = Path(path).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SettingError(f"{key}: {path!r} cannot be read ({error}); name a readable file") from error
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\r\n") else text.removesuffix("\n")
