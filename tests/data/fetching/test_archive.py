"""Archives are unpacked inside their folder, to plain files, or refused by name."""

import io
import shutil
import stat
import tarfile
import zipfile

import pytest
from hosting import contents, tarred, zipped

from cxrpipe.data.fetching.archive import BrokenArchiveError, is_archive, unpack
from cxrpipe.runtime import UserError

FILES = {"normal/a 1#.png": b"one", "covid/ü.png": b"two", "table.csv": b"file\n"}


@pytest.fixture
def unpacked(tmp_path):
    """Unpack an archive, and return what is in its folder; nothing may be beside it."""

    def unpacked(content, name="films.zip"):
        (tmp_path / "deep/folder").mkdir(parents=True)
        (tmp_path / "archive").write_bytes(content)
        try:
            unpack(tmp_path / "archive", tmp_path / "deep/folder", name)
        finally:
            beside = {path for path in contents(tmp_path) if not path.startswith("deep/folder/")}
            assert beside == {"archive"}
            assert [path for path in tmp_path.rglob("*") if path.is_symlink()] == []
        return contents(tmp_path / "deep/folder")

    return unpacked


def with_link(link, target, kind=tarfile.SYMTYPE, files=FILES):
    content = io.BytesIO(tarred(files, "w"))
    with tarfile.open(fileobj=content, mode="a") as archive:
        member = tarfile.TarInfo(link)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return content.getvalue()


def zipped_as(kind, name, held, files=FILES):
    """A zip with a member of a kind of Unix, such as a link."""
    content = io.BytesIO(zipped(files))
    with zipfile.ZipFile(content, "a") as archive:
        member = zipfile.ZipInfo(name)
        member.create_system, member.external_attr = 3, (kind | 0o644) << 16
        archive.writestr(member, held)
    return content.getvalue()


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_every_kind_of_archive_is_unpacked(unpacked, mode):
    assert unpacked(zipped(FILES) if mode == "zip" else tarred(FILES, mode)) == FILES


def test_archives_in_an_archive_stay_as_they_are(unpacked):
    held = {"inner.zip": zipped(FILES), "inner.tar.gz": tarred(FILES)}
    assert unpacked(zipped(held)) == held


def test_a_tar_that_ends_with_a_zip_is_a_tar(unpacked):
    held = {"inner.zip": zipped(FILES)}
    assert unpacked(tarred(held, "w")) == held


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../../escaped", "leaves the folder"),
        ("a/../../../escaped", "leaves the folder"),
        ("a/..", "leaves the folder"),
        ("/escaped-cxrpipe", "is an absolute path"),
        ("C:/escaped", "is an absolute path"),
        ("new\nline.png", "has a name that no list of files can hold"),
    ],
)
def test_a_member_that_would_leave_the_folder_is_named_and_nothing_written(
    tmp_path, unpacked, pack, name, problem
):
    with pytest.raises(UserError) as error:
        unpacked(pack({"b": b"1", name: b"evil"}))
    assert str(error.value).startswith(f"films.zip: {name!r} in it {problem}; unpack it by hand")
    assert contents(tmp_path / "deep") == {}


def test_a_windows_path_that_would_leave_the_folder_is_refused(unpacked):
    with pytest.raises(UserError, match=r"'\.\./\.\./escaped' in it leaves the folder"):
        unpacked(zipped({"..\\..\\escaped": b"evil"}))


def test_a_windows_path_in_a_zip_is_a_path(unpacked):
    assert unpacked(zipped({"normal\\a.png": b"1"})) == {"normal/a.png": b"1"}


OUTSIDE = ["../../../secret", "/etc/passwd", ".."]


@pytest.mark.parametrize("target", OUTSIDE)
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_of_a_tar_that_points_outside_is_refused(tmp_path, unpacked, kind, target):
    with pytest.raises(UserError, match=r"'link' in it is a link that points outside, to .*; un"):
        unpacked(with_link("link", target, kind))
    assert contents(tmp_path / "deep") == {}


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_link_of_a_zip_that_points_outside_is_refused(tmp_path, unpacked, target):
    with pytest.raises(UserError, match=r"'link' in it is a link that points outside, to .*; un"):
        unpacked(zipped_as(stat.S_IFLNK, "link", target))
    assert contents(tmp_path / "deep") == {}


def test_a_file_that_would_be_written_through_a_link_stays_inside(unpacked):
    content = io.BytesIO(with_link("out", "normal", files={"normal/a": b"1"}))
    with tarfile.open(fileobj=content, mode="a") as archive:
        member = tarfile.TarInfo("out/evil")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    assert unpacked(content.getvalue()) == {"normal/a": b"1", "out/evil": b"evil"}


def test_a_link_becomes_a_copy_of_the_file_it_points_to(unpacked):
    copied = FILES | {"covid/link.png": b"one"}
    assert unpacked(with_link("covid/link.png", "../normal/a 1#.png")) == copied


def test_a_hard_link_and_a_link_of_a_zip_become_copies_too(tmp_path, unpacked):
    copied = FILES | {"covid/link.png": b"one"}
    hard = with_link("covid/link.png", "normal/a 1#.png", tarfile.LNKTYPE)
    assert unpacked(hard) == copied
    shutil.rmtree(tmp_path / "deep")
    assert unpacked(zipped_as(stat.S_IFLNK, "covid/link.png", "../normal/a 1#.png")) == copied


@pytest.mark.parametrize("target", ["normal", "nowhere"])
def test_a_link_to_a_folder_or_to_nothing_is_left_out(unpacked, target):
    assert unpacked(with_link("link", target)) == FILES


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_device_in_a_tar_is_refused(unpacked, kind):
    with pytest.raises(UserError, match="'dev/odd' in it is a device or a pipe"):
        unpacked(with_link("dev/odd", "", kind))


def test_a_device_in_a_zip_is_refused(unpacked):
    with pytest.raises(UserError, match="'odd' in it is a device or a pipe"):
        unpacked(zipped_as(stat.S_IFCHR, "odd", b""))


def test_an_encrypted_zip_is_refused(unpacked):
    content = bytearray(zipped({"a.png": b"1"}))
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UserError, match=r"'a\.png' in it is encrypted; unpack it by hand"):
        unpacked(bytes(content))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(unpacked):
    content = io.BytesIO(zipped({"a.png": b"1"}))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("a.png", b"2")
    with pytest.raises(UserError, match=r"films\.zip: there is another 'a\.png' already; unpack"):
        unpacked(content.getvalue())


def test_a_file_where_a_folder_is_needed_is_refused(unpacked):
    with pytest.raises(UserError, match=r"films\.zip: there is another 'a/b' already"):
        unpacked(zipped({"a": b"1", "a/b": b"2"}))


BIG = {"a.png": bytes(range(256)) * 40}


@pytest.mark.parametrize(
    "content",
    [
        zipped(BIG)[:-30],
        zipped(BIG).replace(b"\x07\x08\x09", b"\x07\x08\x08"),
        tarred(BIG)[:-40],
        tarred(BIG, "w")[:5000],
        tarred(BIG, "w:xz")[:-40],
        tarred(BIG, "w:bz2")[:-40],
        tarred(BIG)[:-8] + b"\0\0\0\0" + tarred(BIG)[-4:],
        tarred(BIG)[:60] + b"damage" + tarred(BIG)[66:],
        b"no archive at all",
        b"",
    ],
)
def test_a_broken_archive_is_told_in_one_line(unpacked, content):
    with pytest.raises(BrokenArchiveError, match=r"^films\.zip: a broken archive: .*; fetch it an"):
        unpacked(content)


def test_a_web_page_saved_as_an_archive_is_told(unpacked):
    with pytest.raises(BrokenArchiveError, match=r"^films\.zip: a web page \(a login or consent"):
        unpacked(b"<!DOCTYPE html>\n<title>Log in</title>")


def test_an_archive_that_python_cannot_read_is_told(unpacked):
    with pytest.raises(UserError, match=r"^films\.7z: only zip and tar archives are unpacked"):
        unpacked(b"7z\xbc\xaf\x27\x1c", "films.7z")


def test_an_archive_that_unpacks_to_more_than_the_disk_holds_is_refused(
    tmp_path, unpacked, monkeypatch
):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"0" * 5_000_000)
    assert len(content.getvalue()) < 10_000
    usage = shutil.disk_usage(tmp_path)._replace(free=4_999_999)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        UserError, match=r"^films\.zip: needs 5\.0 MB in .*, where 5\.0 MB are free"
    ):
        unpacked(content.getvalue())
    assert contents(tmp_path / "deep") == {}


def test_a_zip_that_lies_about_a_size_is_broken(unpacked):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"0" * 5_000_000)
    true, said = (n_bytes.to_bytes(4, "little") for n_bytes in (5_000_000, 50))
    lying = content.getvalue().replace(true, said)
    with pytest.raises(BrokenArchiveError, match="Bad CRC-32"):
        unpacked(lying)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("films.zip", True),
        ("films.TAR.GZ", True),
        ("films.rar", True),
        ("labels.xlsx", False),
        ("weights.npz", False),
        ("labels.csv.gz", False),
        ("content", True),
        ("v1.2", True),
        ("download.php", True),
        ("", True),
    ],
)
def test_the_name_tells_what_is_unpacked_before_the_content(tmp_path, name, expected):
    (tmp_path / "file").write_bytes(zipped(FILES))
    assert is_archive(tmp_path / "file", name) is expected


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"a,b\n1,2\n"])
def test_what_has_no_telling_name_and_is_no_archive_stays_a_file(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert is_archive(tmp_path / "file", "content") is False
