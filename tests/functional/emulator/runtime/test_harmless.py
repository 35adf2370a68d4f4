"""What an image's layers may hold, where Python has no extraction filters of its own."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.runtime.unpacked import harmless

if TYPE_CHECKING:
    from pathlib import Path


def layer(*members: tarfile.TarInfo) -> tarfile.TarFile:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    file.seek(0)
    return tarfile.open(fileobj=file)


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.size = 1 if kind == tarfile.REGTYPE else 0
    info.uid = info.gid = 4242
    return info


def test_files_directories_and_links_within_pass_without_owner_and_special_bits(tmp_path: Path) -> None:
    with layer(
        member("app", tarfile.DIRTYPE, mode=0o777),
        member("app/run.sh", mode=0o4777),
        member("app/link", tarfile.SYMTYPE, link="run.sh"),
    ) as archive:
        passed = list(harmless(archive, tmp_path))
    assert [each.name for each in passed] == ["app", "app/run.sh", "app/link"]
    assert [each.mode for each in passed[:2]] == [0o755, 0o755]
    assert all(each.uid != 4242 for each in passed)


@pytest.mark.parametrize(
    "evil",
    [
        member("../outside"),
        member("/etc/passwd"),
        member("app/../../outside"),
        member("link", tarfile.SYMTYPE, link="/etc"),
        member("app/link", tarfile.SYMTYPE, link="../../etc"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("hard", tarfile.LNKTYPE, link="/etc/passwd"),
    ],
    ids=lambda each: f"{each.name}-{each.linkname}",
)
def test_what_leads_out_or_is_no_file_is_refused(tmp_path: Path, evil: tarfile.TarInfo) -> None:
    with layer(evil) as archive, pytest.raises(tarfile.TarError, match=r"leads out|special file"):
        list(harmless(archive, tmp_path))


def test_nothing_is_written_through_a_link_that_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    with layer(member("out/file")) as archive, pytest.raises(tarfile.TarError, match="leads out"):
        list(harmless(archive, tmp_path / "root"))
