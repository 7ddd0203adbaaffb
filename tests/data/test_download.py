"""Bringing a collection: from a folder, a mirror, an address; checked, whole, inside its folder."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import threading
import zipfile
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from cxrpipe.catalogue import Origin, Phantom
from cxrpipe.data.download import bring, draw_phantoms, main, write_checksums
from cxrpipe.runtime import UserError

FILES = {"normal/a 1#.png": b"one", "covid/ü.png": b"two", "table.csv": b"file\n"}


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, held in files.items():
            archive.writestr(name, held)
    return content.getvalue()


def tarred(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, held in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(held)
            archive.addfile(member, io.BytesIO(held))
    return content.getvalue()


@pytest.fixture
def mirror(tmp_path):
    fill(tmp_path / "mirror/films", FILES)
    write_checksums(tmp_path / "mirror/films")
    return tmp_path / "mirror"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that is served at ``site.address``; what is named ``cut`` loses its second half."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=tmp_path / "site")

        def log_message(self, *arguments):
            pass

        def copyfile(self, source, outputfile):
            content = source.read()
            cut = "cut" in self.path
            outputfile.write(content[: len(content) // 2] if cut else content)

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "site").mkdir()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    class Site:
        address = f"http://127.0.0.1:{server.server_port}"

        def serve(self, name, content):
            fill(tmp_path / "site", {name: content})
            return {"address": f"{self.address}/{name}", "sha256": sha256(content)}

    yield Site()
    server.shutdown()
    thread.join()
    server.server_close()


def fetched(tmp_path, mirror="", **origin):
    bring(tmp_path / "data/films", "films", Origin(**origin), str(mirror), 1)
    return contents(tmp_path / "data/films")


ANYWHERE = {"address": "http://127.0.0.1:9/never", "sha256": "0" * 64}


def test_a_mirror_folder_is_copied_with_its_list(tmp_path, mirror):
    fill(mirror / "films", {"not in the list.png": b"three"})
    assert fetched(tmp_path, mirror, **ANYWHERE) == FILES
    lists = [folder / "films/SHA256SUMS" for folder in (mirror, tmp_path / "data")]
    assert lists[0].read_bytes() == lists[1].read_bytes()


def test_a_mirror_address_is_copied_as_its_list_says(tmp_path, mirror, site):
    shutil.copytree(mirror, tmp_path / "site/m")
    assert fetched(tmp_path, f"{site.address}/m/", **ANYWHERE) == FILES


def test_a_file_with_another_checksum_is_named(tmp_path, mirror, site):
    fill(mirror / "films", {"covid/ü.png": b"changed"})
    shutil.copytree(mirror, tmp_path / "site/m")
    sums = f"SHA-256 is {sha256(b'changed')[:12]}..., expected {sha256(b'two')[:12]}..."
    for place in (str(mirror), f"{site.address}/m"):
        with pytest.raises(UserError) as error:
            fetched(tmp_path, place, **ANYWHERE)
        assert str(error.value) == f"{place}/films/covid/ü.png: {sums}; fetch it anew"
        shutil.rmtree(tmp_path / "data")


def test_a_file_missing_from_a_mirror_is_named(tmp_path, mirror, site):
    (mirror / "films/table.csv").unlink()
    shutil.copytree(mirror, tmp_path / "site/m")
    with pytest.raises(UserError, match=r"films/table\.csv: listed in SHA256SUMS but missing"):
        fetched(tmp_path, mirror, **ANYWHERE)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(UserError, match=r"films/table\.csv: HTTP Error 404"):
        fetched(tmp_path, f"{site.address}/m", **ANYWHERE)


def test_a_missing_mirror_and_a_missing_collection_are_told_apart(tmp_path, mirror):
    with pytest.raises(UserError, match=r"^mirror: no folder .*/nowhere; correct it"):
        fetched(tmp_path, tmp_path / "nowhere", **ANYWHERE)
    shutil.rmtree(tmp_path / "data")
    (mirror / "films").rename(mirror / "other")
    with pytest.raises(UserError, match=r"^mirror: .*/mirror has no folder 'films'; add it"):
        fetched(tmp_path, mirror, **ANYWHERE)


def test_a_collection_without_its_list_is_refused(tmp_path, mirror):
    (mirror / "films/SHA256SUMS").unlink()
    with pytest.raises(UserError, match="SHA256SUMS"):
        fetched(tmp_path, mirror, **ANYWHERE)


def test_a_list_that_leaves_its_folder_is_refused_before_anything_is_copied(tmp_path, mirror):
    fill(mirror, {"secret": b"s"})
    with (mirror / "films/SHA256SUMS").open("a") as file:
        file.write(f"{sha256(b's')}  ../secret\n")
    with pytest.raises(UserError, match=r"line 4 leaves the folder: \.\./secret"):
        fetched(tmp_path, mirror, **ANYWHERE)
    assert contents(tmp_path / "data") == {}


def test_an_own_folder_is_copied_and_its_old_list_is_not_believed(tmp_path):
    fill(tmp_path / "own", FILES | {"SHA256SUMS": b"nonsense"})
    assert fetched(tmp_path, path=str(tmp_path / "own")) == FILES
    assert len((tmp_path / "data/films/SHA256SUMS").read_text().splitlines()) == 3


def test_an_own_folder_is_taken_also_when_a_mirror_is_set(tmp_path, mirror):
    fill(tmp_path / "own", {"a.png": b"mine"})
    assert fetched(tmp_path, mirror, path=str(tmp_path / "own")) == {"a.png": b"mine"}


def test_an_own_folder_that_is_missing_or_empty_is_refused(tmp_path):
    (tmp_path / "empty/below").mkdir(parents=True)
    for name, found in (("none", "no folder .*none"), ("empty", "empty is empty")):
        with pytest.raises(UserError, match=f"^path: .*{found}; give the folder that holds"):
            fetched(tmp_path, path=str(tmp_path / name))
        shutil.rmtree(tmp_path / "data")


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs the command sha256sum")
def test_the_list_is_one_that_sha256sum_accepts(tmp_path):
    fill(tmp_path, FILES)
    write_checksums(tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True
    )
    assert checked.returncode == 0
    assert checked.stdout.count(b": OK\n") == len(FILES)


@pytest.mark.parametrize("packed", [zipped, tarred])
def test_an_archive_is_unpacked_and_nothing_of_it_remains(tmp_path, site, packed):
    assert fetched(tmp_path, **site.serve("archive", packed(FILES))) == FILES
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"films"}
    assert not (tmp_path / "data/films/.unpacked").exists()


def test_only_the_folder_asked_for_is_taken_from_an_archive(tmp_path, site):
    inside = {f"deep/set/{name}": content for name, content in FILES.items()}
    served = site.serve("a.zip", zipped(inside | {"deep/readme": b"", "set/x": b""}))
    assert fetched(tmp_path, folder="deep/set", **served) == FILES


def test_a_folder_that_the_archive_lacks_is_named(tmp_path, site):
    served = site.serve("a.zip", zipped(FILES))
    with pytest.raises(UserError, match=r"a\.zip: no folder 'sets' inside; correct folder:"):
        fetched(tmp_path, folder="sets", **served)


@pytest.mark.parametrize("folder", ["", "normal"])
def test_the_wrapper_of_a_repository_is_taken_off(tmp_path, site, folder):
    wrapped = {f"films-0123abcd/{name}": content for name, content in FILES.items()}
    site.serve("owner/films/archive/0123abcd.zip", zipped(wrapped))
    repository = f"{site.address}/owner/films"
    expected = {"a 1#.png": b"one"} if folder else FILES
    found = fetched(tmp_path, repository=repository, commit="0123abcd", folder=folder)
    assert found == expected


def test_a_single_file_keeps_its_name(tmp_path, site):
    served = site.serve("deep/labels.csv.gz", b"\x1f\x8bnot an archive")
    assert fetched(tmp_path, **served) == {"labels.csv.gz": b"\x1f\x8bnot an archive"}


def test_what_another_address_delivers_is_refused_with_both_sums(tmp_path, site):
    served = site.serve("a.zip", zipped(FILES)) | {"sha256": "f" * 64}
    with pytest.raises(UserError, match=r"a\.zip: SHA-256 is .*, expected ffffffffffff\.\.\."):
        fetched(tmp_path, **served)
    assert contents(tmp_path / "data") == {}


def test_an_address_that_refuses_or_is_not_there_is_named_with_the_mend(tmp_path, site):
    address = f"{site.address}/none.zip"
    with pytest.raises(UserError, match=r"none\.zip: HTTP Error 404.*or set mirror:"):
        fetched(tmp_path, address=address, sha256="0" * 64)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(UserError, match=r"never: .*refused.*check the address"):
        fetched(tmp_path, **ANYWHERE)


@pytest.mark.parametrize("address", ["kermany.zip", "http://127.0.0.1:9/a b.zip"])
def test_what_is_no_address_is_refused_by_name(tmp_path, address):
    with pytest.raises(UserError, match=address):
        fetched(tmp_path, address=address, sha256="0" * 64)


def test_an_archive_that_breaks_off_is_not_taken_for_the_collection(tmp_path, site):
    site.serve("owner/cut/archive/0123abcd.zip", zipped({"cut/a.png": b"1" * 1000}))
    with pytest.raises(UserError, match=r"0123abcd\.zip"):
        fetched(tmp_path, repository=f"{site.address}/owner/cut", commit="0123abcd")


@pytest.mark.parametrize("name", ["../../escaped", "/escaped-cxrpipe", "a/../../../escaped"])
def test_a_zip_never_writes_outside_its_folder(tmp_path, site, name):
    found = fetched(tmp_path, **site.serve("evil.zip", zipped({name: b"evil", "b": b"1"})))
    assert set(found.values()) == {b"evil", b"1"}
    assert set(contents(tmp_path)) == {"site/evil.zip"} | {f"data/films/{name}" for name in found}


@pytest.mark.parametrize("name", ["../../escaped", "a/../../../escaped"])
def test_a_tar_that_would_write_outside_its_folder_is_refused(tmp_path, site, name):
    served = site.serve("evil.tar.gz", tarred({"b": b"1", name: b"evil"}))
    with pytest.raises((tarfile.OutsideDestinationError, UserError), match=r"outside|evil"):
        fetched(tmp_path, **served)
    assert b"evil" not in contents(tmp_path / "data").values()
    assert list(tmp_path.rglob("escaped")) == []


def test_a_damaged_archive_is_a_mistake_and_no_crash(tmp_path, site):
    damaged = zipped({"a.png": b"1" * 1000}).replace(b"1" * 100, b"2" * 100)
    with pytest.raises(UserError, match=r"damaged\.zip"):
        fetched(tmp_path, **site.serve("damaged.zip", damaged))


def test_the_command_brings_a_collection_whole(tmp_path, mirror, run):
    run(
        main,
        source="films",
        origin=json.dumps(ANYWHERE),
        mirror=mirror,
        checksums=tmp_path / "data/films/SHA256SUMS",
    )
    assert contents(tmp_path / "data") == {f"films/{name}": held for name, held in FILES.items()}


def test_the_command_leaves_nothing_of_what_failed(tmp_path, mirror, refusal):
    fill(mirror / "films", {"table.csv": b"changed"})
    arguments = {
        "source": "films",
        "mirror": mirror,
        "checksums": tmp_path / "data/films/SHA256SUMS",
    }
    line = refusal(main, origin=json.dumps(ANYWHERE), **arguments)
    assert line.startswith(f"cxrpipe command: error: {mirror}/films/table.csv: SHA-256 is")
    assert list((tmp_path / "data").iterdir()) == []
    line = refusal(main, origin='{"adress": ""}', **arguments)
    assert line.endswith("--origin: unknown key 'adress'; did you mean 'address'?")


def test_phantoms_are_the_same_on_one_core_and_on_two(tmp_path):
    phantom = Phantom(hospital="east", patients=24, side=64, seed=5)
    for cores in (1, 2):
        (tmp_path / str(cores)).mkdir()
        draw_phantoms(tmp_path / str(cores), phantom, cores)
    one, two = (contents(tmp_path / cores) for cores in "12")
    assert one == two
    assert len([name for name in one if name.startswith("films/")]) >= 24
