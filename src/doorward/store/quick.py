"""A connection to SQLite on which a statement that comes again is run without SQLAlchemy's preparations.

The first time that a statement object comes, SQLAlchemy runs it. When the same object comes again it is compiled once
and from then on handed to `sqlite3` directly: 7 microseconds instead of 25. What SQLAlchemy would decide anew at each
execution (lists that expand, defaults made in Python, several rows at once) stays with SQLAlchemy. Results and errors
are SQLAlchemy's own types, so nobody sees which way a statement went. Measure again: `python -m bench`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, CursorResult, Engine, Executable, TextClause, TextualSelect
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

R = TypeVar("R")
Convert: TypeAlias = Callable[[object], object]

_SEEN: Final = "seen"
_NOT_QUICK: Final = "not quick"


@dataclass(frozen=True, slots=True)
class _Value:
    """Where one `?` gets its value: from the parameter `key`, or it is the same each time."""

    key: str | None
    constant: object
    convert: Convert | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as `sqlite3` takes it, for one set of parameter names. `columns` is None where no rows come."""

    sql: str
    values: tuple[_Value, ...]
    columns: SimpleResultMetaData | None


class _Result(IteratorResult[R]):
    """The rows of a prepared statement, read to the end, with the count that changes leave."""

    rowcount: int = -1


_Known: TypeAlias = "dict[tuple[str, ...], _Prepared | str]"


class QuickConnection(Connection):
    """See the module. Only `execute` of one statement with named parameters is quicker; the rest is SQLAlchemy's."""

    def __init__(self, engine: Engine) -> None:
        """Connect."""
        super().__init__(engine)
        self._raw: Final = cast("sqlite3.Connection", self.connection.driver_connection)
        # By the statement object itself: what is built for one request dies with it, and its entry too.
        self._known: Final[WeakKeyDictionary[Executable, _Known]] = WeakKeyDictionary()

    def execute(  # pyright: ignore[reportIncompatibleMethodOverride] - the overloads differ in types of rows alone
        self, statement: Executable, parameters: object = None, *, execution_options: object = None
    ) -> CursorResult[object]:
        """Execute a statement. Raises what SQLAlchemy raises."""
        is_plain = execution_options is None and (parameters is None or type(parameters) is dict)
        if is_plain and not self._is_watched():
            given = cast("dict[str, object]", parameters or {})
            prepared = self._prepared(statement, tuple(given))
            if prepared is not None:
                return cast("CursorResult[object]", self._run(prepared, given))
        slowly = cast("Callable[..., CursorResult[object]]", super().execute)
        if execution_options is None:
            return slowly(statement, parameters)
        return slowly(statement, parameters, execution_options=execution_options)

    def _is_watched(self) -> bool:
        """Tell whether somebody listens to SQLAlchemy's events, which only its own way of execution tells."""
        return bool(self._has_events or self.engine._has_events)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as it asks itself

    def _prepared(self, statement: Executable, names: tuple[str, ...]) -> _Prepared | None:
        known = self._known.get(statement)
        if known is None:
            self._known[statement] = {names: _SEEN}
            return None
        found = known.get(names)
        if found is None:
            known[names] = _SEEN
        elif found is _SEEN:
            found = known[names] = _prepare(statement, names, self.dialect) or _NOT_QUICK
        return found if isinstance(found, _Prepared) else None

    def _run(self, prepared: _Prepared, given: Mapping[str, object]) -> _Result[object]:
        values: list[object] = []
        for value in prepared.values:
            if value.key is None:
                values.append(value.constant)
            else:
                plain = given[value.key]
                values.append(plain if value.convert is None else value.convert(plain))
        try:
            cursor = self._raw.execute(prepared.sql, cast("list[str]", values))
            rows = cast("list[tuple[object, ...]]", cursor.fetchall() if prepared.columns is not None else [])
        except sqlite3.Error as error:
            raise cast(
                "DBAPIError",
                DBAPIError.instance(
                    prepared.sql, None, error, sqlite3.Error, hide_parameters=True, dialect=self.dialect
                ),
            ) from error
        result: _Result[object] = _Result(prepared.columns or _NO_COLUMNS, iter(rows))
        result.rowcount = cursor.rowcount
        return result


_NO_COLUMNS: Final = SimpleResultMetaData([])
_NOT_BUILT: Final = (TextClause, TextualSelect)


def _prepare(statement: Executable, names: tuple[str, ...], dialect: Dialect) -> _Prepared | None:
    """Compile a statement for these parameter names; None where its text or values differ from time to time."""
    compiled = cast("ClauseElement", statement).compile(dialect=dialect, column_keys=list(names))
    if isinstance(statement, _NOT_BUILT) or not isinstance(compiled, SQLCompiler) or not _is_fixed(compiled):
        return None
    by_name = {name: bind for bind, name in compiled.bind_names.items()}
    values: list[_Value] = []
    for name in compiled.positiontup or ():
        bind = by_name[name]
        convert = cast("Convert | None", bind.type.dialect_impl(dialect).bind_processor(dialect))
        if bind.key in names:
            values.append(_Value(bind.key, None, convert))
        elif bind.required or bind.callable is not None:
            return None
        else:
            constant = cast("object", bind.value)
            values.append(_Value(None, constant if convert is None else convert(constant), None))
    return _Prepared(compiled.string, tuple(values), _columns(compiled, dialect))


def _is_fixed(compiled: SQLCompiler) -> bool:
    """Tell whether the text and the values of a statement depend on its named parameters alone."""
    return not (
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
    )


def _columns(compiled: SQLCompiler, dialect: Dialect) -> SimpleResultMetaData | None:
    """Describe the rows: names, the columns that also name them, and what turns values into Python's."""
    found = compiled._result_columns  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - told nowhere else
    if not found:
        return None
    names = [entry.keyname for entry in found]
    return SimpleResultMetaData(
        names,
        extra=[entry.objects for entry in found],
        _processors=[entry.type.dialect_impl(dialect).result_processor(dialect, None) for entry in found],
        _ambiguous_keys=frozenset(name for name in names if names.count(name) > 1),
    )
