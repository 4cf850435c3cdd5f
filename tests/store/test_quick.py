"""A statement that comes again answers as it did the first time, whichever way it is run."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, OperationalError
from sqlalchemy.pool import NullPool

from doorward.store.quick import QuickConnection, _Prepared

_META = sa.MetaData()
_HOUSES = sa.Table("houses", _META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("street", sa.String(20)))
_DOORS = sa.Table(
    "doors",
    _META,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("house_id", sa.Integer, sa.ForeignKey("houses.id")),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("hash", sa.LargeBinary, nullable=True),
    sa.Column("made_by", sa.String(20), default="nobody"),
)
_TIMES = 4


@pytest.fixture
def quick() -> Iterator[QuickConnection]:
    engine = sa.create_engine("sqlite://", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    connection = QuickConnection(engine)
    _META.create_all(connection)
    connection.execute(_HOUSES.insert(), [{"id": n, "street": f"street {n}"} for n in range(3)])
    yield connection
    connection.close()


def door(number: int, **more: object) -> dict[str, object]:
    values = {"id": f"door {number}", "house_id": 1, "open": True, "details": {"n": [number]}, "hash": b"\x00"}
    return {**values, "made_by": "us", **more}


def kinds(connection: QuickConnection, statement: sa.Executable) -> list[str]:
    known = connection._known.get(statement) or {}
    return ["quick" if isinstance(kind, _Prepared) else kind for kind in known.values()]


def test_rows_values_and_names_are_the_same_each_time(quick: QuickConnection) -> None:
    add = _DOORS.insert()
    for number in range(_TIMES):
        assert quick.execute(add, door(number, open=number % 2 == 0)).rowcount == 1
    assert kinds(quick, add) == ["quick"]
    find = sa.select(_DOORS, _HOUSES.c.street).join(_HOUSES).where(_DOORS.c.id == sa.bindparam("wanted"))
    for _ in range(_TIMES):
        row = quick.execute(find, {"wanted": "door 1"}).one()
        assert row == ("door 1", 1, False, {"n": [1]}, b"\x00", "us", "street 1")
        assert row.details == {"n": [1]}
        assert row._mapping[_DOORS.c.open] is False
        mapped = quick.execute(find, {"wanted": "door 2"}).mappings().first()
        assert mapped is not None
        assert dict(mapped)["street"] == "street 1"
    assert kinds(quick, find) == ["quick"]


def test_no_row_and_too_many_rows_are_told_as_ever(quick: QuickConnection) -> None:
    find = sa.select(_HOUSES.c.id).where(_HOUSES.c.id >= sa.bindparam("least")).order_by(_HOUSES.c.id)
    for _ in range(_TIMES):
        assert quick.execute(find, {"least": 9}).first() is None
        assert quick.execute(find, {"least": 9}).scalar() is None
        assert quick.execute(find, {"least": 1}).scalars().all() == [1, 2]
        assert quick.execute(find, {"least": 2}).scalar_one() == 2
        with pytest.raises(NoResultFound):
            quick.execute(find, {"least": 9}).one()
        with pytest.raises(MultipleResultsFound):
            quick.execute(find, {"least": 0}).one_or_none()


def test_changes_count_rows_and_return_them(quick: QuickConnection) -> None:
    rename = _HOUSES.update().where(_HOUSES.c.id == sa.bindparam("which")).values(street=sa.bindparam("new"))
    claim = _HOUSES.update().where(_HOUSES.c.id < 2).values(street=_HOUSES.c.street + "!").returning(_HOUSES.c.street)
    for n in range(_TIMES):
        assert quick.execute(rename, {"which": 1, "new": f"n{n}"}).rowcount == 1
        assert quick.execute(rename, {"which": 7, "new": f"n{n}"}).rowcount == 0
        assert len(quick.execute(claim).all()) == 2
    assert quick.execute(sa.select(_HOUSES.c.street).where(_HOUSES.c.id == 1)).scalar_one() == f"n{_TIMES - 1}!"
    remove = _HOUSES.delete().where(_HOUSES.c.id == sa.bindparam("gone"))
    assert [quick.execute(remove, {"gone": 2}).rowcount for _ in range(3)] == [1, 0, 0]


def test_the_same_statement_with_other_names_is_another(quick: QuickConnection) -> None:
    add = _HOUSES.insert()
    for n in range(10, 10 + _TIMES):
        quick.execute(add, {"id": n})
        quick.execute(add, {"id": n + 100, "street": "long"})
    assert quick.execute(sa.select(_HOUSES.c.street).where(_HOUSES.c.id == 13)).scalar_one() is None
    assert quick.execute(sa.select(_HOUSES.c.street).where(_HOUSES.c.id == 113)).scalar_one() == "long"


def test_what_differs_from_time_to_time_stays_slow(quick: QuickConnection) -> None:
    some = sa.select(_HOUSES.c.id).where(_HOUSES.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(_HOUSES.c.id)
    for wanted in ([0], [0, 1], [2, 1, 0], []):
        assert quick.execute(some, {"ids": wanted}).scalars().all() == sorted(wanted)
    assert kinds(quick, some) == ["not quick"]
    defaulted = _DOORS.insert()
    for number in range(_TIMES):
        quick.execute(defaulted, {"id": f"d{number}", "house_id": 1, "open": True})
    assert kinds(quick, defaulted) == ["not quick"]
    made_by = sa.select(_DOORS.c.made_by).where(_DOORS.c.id == "d3")
    assert quick.execute(made_by).scalar_one() == "nobody"
    text = sa.text("SELECT :n + 1")
    assert [quick.execute(text, {"n": n}).scalar_one() for n in range(_TIMES)] == [1, 2, 3, 4]


def test_several_rows_at_once_are_sqlalchemys(quick: QuickConnection) -> None:
    add = _HOUSES.insert()
    for n in range(20, 40, 5):
        quick.execute(add, [{"id": n, "street": "a"}, {"id": n + 1, "street": "b"}])
    assert quick.execute(sa.select(sa.func.count()).select_from(_HOUSES)).scalar_one() == 11


def test_none_is_null_in_json_and_elsewhere(quick: QuickConnection) -> None:
    add = _DOORS.insert()
    for number in range(_TIMES):
        quick.execute(add, door(number, details=None, hash=None))
    nulls = sa.select(sa.func.count()).select_from(_DOORS).where(_DOORS.c.details.is_(None), _DOORS.c.hash.is_(None))
    assert [quick.execute(nulls).scalar_one() for _ in range(3)] == [_TIMES] * 3


def test_faults_are_those_of_sqlalchemy_and_say_no_values(quick: QuickConnection) -> None:
    add = _DOORS.insert()
    for number in range(3):
        quick.execute(add, door(number))
    with pytest.raises(IntegrityError) as fault:
        quick.execute(add, door(1, hash=b"a secret"))
    assert "a secret" not in str(fault.value)
    find = sa.select(_HOUSES.c.id)
    for _ in range(3):
        quick.execute(find).all()
    _META.drop_all(quick)
    with pytest.raises(OperationalError):
        quick.execute(find)


def test_statements_of_one_request_are_not_kept(quick: QuickConnection) -> None:
    for number in range(50):
        quick.execute(sa.select(_HOUSES.c.id).where(_HOUSES.c.id == number)).all()
    gc.collect()
    assert len(quick._known) <= 2


def test_who_listens_to_statements_hears_all_of_them(quick: QuickConnection) -> None:
    find = sa.select(_HOUSES.c.id).where(_HOUSES.c.id == sa.bindparam("which"))
    for _ in range(3):
        quick.execute(find, {"which": 1}).one()
    heard: list[str] = []

    def listen(_c: object, _cursor: object, statement: str, _p: object, _context: object, _many: object) -> None:
        heard.append(statement)

    sa.event.listen(quick.engine, "before_cursor_execute", listen)
    for _ in range(3):
        quick.execute(find, {"which": 1}).one()
    assert len(heard) == 3
