from __future__ import annotations

import threading

import pytest

from ait_cmp.convert.groups import Groups
from ait_cmp.convert.one_file import Claim, Identity, Prepared


def prepared(number: int) -> Prepared:
    claim = Claim(0, -1, False, 0o644, Identity(1, number, 1, 1))
    return Prepared(f"Add.Add_{number}", f"Add.Add_{number}_info.npz", b"", claim, False)


FILES = [prepared(number) for number in range(100)]


def test_a_group_is_taken_whole_and_in_order() -> None:
    groups = Groups()
    for file in FILES[:20]:
        groups.put(file)
    assert groups.take() == FILES[:20]


def test_where_few_files_can_come_few_are_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ait_cmp.convert.groups._PATIENCE_S", 1e9)
    groups = Groups(most_files=5)
    for file in FILES[:2]:
        groups.put(file)
    assert groups.take() == FILES[:2]


def test_a_file_that_no_other_joins_is_taken_all_the_same() -> None:
    groups = Groups()
    groups.put(FILES[0])
    assert groups.take() == FILES[:1]


def test_after_the_end_there_is_what_waits_and_then_nothing() -> None:
    groups = Groups()
    groups.put(FILES[0])
    groups.close()
    assert groups.take() == FILES[:1]
    assert groups.take() == []


def test_nothing_is_lost_between_many_readers_and_writers() -> None:
    groups = Groups()
    taken: list[list[Prepared]] = []

    def write() -> None:
        while group := groups.take():
            taken.append(group)

    def read(share: list[Prepared]) -> None:
        for file in share:
            groups.put(file)

    writers = [threading.Thread(target=write) for _ in range(3)]
    readers = [threading.Thread(target=read, args=(FILES[at::4],)) for at in range(4)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in readers:
        thread.join()
    groups.close()
    for thread in writers:
        thread.join()
    files = [file for group in taken for file in group]
    assert sorted(files) == sorted(FILES)
    # A reader waits while 32 do.
    assert max(map(len, taken)) <= 32
