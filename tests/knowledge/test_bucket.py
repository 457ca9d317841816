"""A knowledge base in a bucket, shared by machines: each `instance` knows of the others only what the bucket says."""

import os
import signal
import socket
import subprocess
import sys
from collections import UserDict
from collections.abc import Callable, ItemsView, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from threading import Thread

import lancedb
import obstore
import pytest
from obstore.store import S3Store
from pydantic import HttpUrl

from knowledge import folder as folder_module
from knowledge import table as table_module
from knowledge.bucket import Bucket
from knowledge.check import check
from knowledge.cleaning import clean
from knowledge.compare import compare
from knowledge.errors import (
    DocumentAltered,
    EmbedderMismatch,
    KnowledgeBaseDamaged,
    KnowledgeBaseMissing,
    KnowledgeError,
    StorageMissing,
    StorageRefused,
    StorageUnreachable,
    StorageUnsuited,
    StoreUnwritable,
    TurnLost,
)
from knowledge.export import export_pack
from knowledge.folder import StoreFolder
from knowledge.local import LocalFolder
from knowledge.rebuild import rebuild
from knowledge.search import search
from knowledge.storage import KnowledgeSettings, place_of
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import TODAY, HashingEmbedder, PackMaker
from tests.storage import KEYS, StorageServer, moto_server

Instance = Callable[[], KnowledgeStore]
NEW = {"a.md": "# T\n\n## Treat\n\nGive oxygen."}


@pytest.fixture
def settings(storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> KnowledgeSettings:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return storage_server.bucket()


@pytest.fixture
def instance(settings: KnowledgeSettings, embedder: HashingEmbedder) -> Instance:
    return lambda: KnowledgeStore(Bucket(settings), embedder)


def found(store: KnowledgeStore) -> list[str]:
    hits = search(store, ["oxygen amoxicillin アモキシシリン"], languages=None, limit=9, today=TODAY, relevance=0)
    return [hit.passage.id for hit in hits]


def raw(settings: KnowledgeSettings) -> S3Store:
    """The bucket behind the product's back."""
    return S3Store(
        settings.bucket,
        prefix=settings.prefix,
        endpoint=str(settings.endpoint).rstrip("/"),
        region="us-east-1",
        client_options={"allow_http": True},
    )


def keys(settings: KnowledgeSettings) -> set[str]:
    return {meta["path"] for meta in obstore.list(raw(settings)).collect()}


def test_a_new_bucket_is_empty_and_opening_it_writes_nothing(settings: KnowledgeSettings, instance: Instance) -> None:
    store = instance()

    assert (store.is_empty, store.version(), store.list_packs(), keys(settings)) == (True, None, (), set())
    for command in (lambda: check(store.place), lambda: rebuild(store.place, HashingEmbedder())):
        with pytest.raises(KnowledgeBaseMissing):
            command()


TEXTS = {
    "breathing": "# Pneumonia\n\n## Treat\n\nGive oral amoxicillin.\n\n## Refer\n\nRefer a child that can't drink.\n",
    "oxygen": "# Pneumonia\n\n## Treat\n\nGive oxygen.\n",
}


@pytest.fixture(scope="module")
def both(
    storage_server: StorageServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[KnowledgeStore, KnowledgeStore]]:
    """The same three changes in a bucket and in a folder, read by somebody else."""
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        places = (Bucket(storage_server.bucket()), LocalFolder(folder / "store"))
        for place in places:
            store = KnowledgeStore(place, HashingEmbedder())
            for name, text in TEXTS.items():
                (folder / f"{name}.md").write_text(text, "utf-8")
                store.add(folder / f"{name}.md", language="en")
            store.remove("breathing")
        shared, local = (KnowledgeStore(place, HashingEmbedder()) for place in places)
        yield shared, local


def test_a_bucket_holds_finds_and_opens_what_a_folder_does(both: tuple[KnowledgeStore, KnowledgeStore]) -> None:
    shared, local = both

    assert found(shared) == found(local)
    assert shared.passages("oxygen") == local.passages("oxygen")
    document = shared.passages("oxygen")[0].document
    assert shared.document_text(document) == local.document_text(document)


def test_every_version_in_a_bucket_can_be_read_and_compared(both: tuple[KnowledgeStore, KnowledgeStore]) -> None:
    shared, local = both

    assert [v.model_copy(update={"time": None}) for v in shared.history()] == [
        v.model_copy(update={"time": None}) for v in local.history()
    ]
    first, _, last = shared.versions()
    assert found(shared.at(first)) == found(local.at(first)) != found(shared)
    assert shared.at(str(date.today())).version() == last
    assert [change.name for change in compare(shared.at(first), shared)] == ["breathing", "oxygen"]


def test_a_bucket_is_proved(both: tuple[KnowledgeStore, KnowledgeStore]) -> None:
    assert check(both[0].place) == check(both[1].place)


def test_a_pack_is_carried_out_of_a_bucket(both: tuple[KnowledgeStore, KnowledgeStore], tmp_path: Path) -> None:
    export_pack(both[0], "oxygen", tmp_path / "stick")

    assert (tmp_path / "stick" / "oxygen.md").read_text("utf-8") == TEXTS["oxygen"]


def test_what_one_adds_another_reads_from_its_next_case_on(instance: Instance, make_pack: PackMaker) -> None:
    writer = instance()
    writer.add(make_pack("en"))
    reader = instance()
    case = reader.snapshot()

    writer.add(make_pack("ja"))

    assert (len(case.list_packs()), case.refresh()) == (1, False)
    assert len(reader.snapshot().list_packs()) == 2
    assert not reader.refresh()


def test_rebuilt_tables_are_read_by_all_and_the_former_stay_for_who_reads_them(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    instance().add(make_pack("en"))
    reader = instance()
    before = found(reader)

    made = rebuild(Bucket(settings), HashingEmbedder())

    assert (made.versions, found(reader), found(instance())) == (1, before, before)
    assert clean(Bucket(settings), keep=(), older_than=timedelta(0), now=datetime.now(UTC)).still_read
    assert (reader.refresh(), found(reader)) == (False, before)
    assert check(Bucket(settings)).faults == ()


def test_tables_that_were_replaced_a_day_ago_are_removed(settings: KnowledgeSettings) -> None:
    now = datetime.now(UTC)

    read = [Bucket(settings).is_read("lance", when) for when in (now - timedelta(days=2), now, None)]

    assert read == [False, True, True]


def test_another_embedder_takes_over_and_the_former_is_refused(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    instance().add(make_pack("en"))
    reader = instance()

    rebuild(Bucket(settings), HashingEmbedder(name="another", dimension=64))

    with pytest.raises(EmbedderMismatch):
        reader.refresh()


def test_cleaning_keeps_what_a_case_on_any_machine_has_read(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    writer, reader = instance(), instance()
    for edition in ("1", "2", "3"):
        writer.add(make_pack("en", edition=edition, files={"a.md": f"# T\n\nGive {edition} mg."}))
        if edition == "2":
            reader.snapshot()
    first, second, third = writer.versions()

    summary = clean(Bucket(settings), keep=(), older_than=timedelta(0), now=datetime.now(UTC))

    assert (summary.removed, summary.needed) == ((first,), (second,))
    assert instance().versions() == (second, third)
    assert instance().at(second).passages("test-en")[0].text == "Give 2 mg."
    assert check(Bucket(settings)).faults == ()


def test_two_that_add_at_once_take_turns(instance: Instance, make_pack: PackMaker) -> None:
    packs = [make_pack(language) for language in ("en", "ja")]

    with ThreadPoolExecutor(len(packs)) as machines:
        tags = list(machines.map(lambda pack: instance().add(pack).version, packs))

    assert len(set(tags)) == 2
    assert [pack.manifest.name for pack in instance().list_packs()] == ["test-en", "test-ja"]
    assert check(instance().place).faults == ()


def test_who_can_not_wait_any_longer_is_told_that_another_is_writing(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_LOCK_SECONDS", 0.0)
    store = instance()

    with Bucket(settings).writing(0), pytest.raises(StoreUnwritable, match="another machine is changing it"):
        store.add(make_pack("en"))


def test_a_living_writer_keeps_its_turn_longer_than_its_silence_may_last(settings: KnowledgeSettings) -> None:
    brief = settings.model_copy(update={"lease_s": 2.0})
    with Bucket(brief).writing(0) as turn:
        with pytest.raises(StoreUnwritable), Bucket(settings).writing(2 * brief.lease_s):
            pass

        turn.publish(b"mine")

    assert Bucket(settings).head() == b"mine"


def test_a_writer_that_lost_its_turn_makes_nothing_valid(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    store = instance()
    store.add(make_pack("en"))
    before = found(store)
    parts = StoreFolder(Bucket(settings))
    with parts.writing():
        parts.settle()
        taken_over(settings)

        for change in (lambda: parts.count("en-1"), parts.settle, lambda: parts.describe("x", 1), parts.turn.require):
            with pytest.raises(TurnLost, match="nothing was changed"):
                change()

    assert found(instance()) == before
    assert check(Bucket(settings)).faults == ()


def test_a_sign_of_life_whose_answer_was_lost_does_not_cost_the_turn(settings: KnowledgeSettings) -> None:
    store = raw(settings)
    with Bucket(settings).writing(0) as turn:
        now = obstore.get(store, "store.json").bytes().to_bytes()
        obstore.put(store, "store.json", now.replace(b'"beat":0', b'"beat":1'))

        turn.publish(b"mine")

    assert Bucket(settings).head() == b"mine"


class Careless(BaseHTTPRequestHandler):
    """A storage that has nothing and takes everything, whatever the conditions."""

    def do_GET(self) -> None:
        self.answer(404)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_a_storage_that_ignores_conditions_is_refused(settings: KnowledgeSettings) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        Thread(target=server.serve_forever).start()
        careless = settings.model_copy(update={"endpoint": HttpUrl(f"http://127.0.0.1:{server.server_port}")})

        with pytest.raises(StorageUnsuited, match="ignores If-None-Match"), Bucket(careless).writing(0):
            pass
        server.shutdown()


def taken_over(settings: KnowledgeSettings) -> None:
    """Another machine takes the turn, as if the present writer had been silent for long."""
    store = raw(settings)
    now = obstore.get(store, "store.json").bytes().to_bytes()
    obstore.put(store, "store.json", now.replace(b'"owner":"', b'"owner":"another of '))


def stray_rows(settings: KnowledgeSettings) -> None:
    """A writer that lost its turn and doesn't know it yet writes rows into the tables."""
    address, options = Bucket(settings).address("lance")
    table = lancedb.connect(address, storage_options=options).open_table("passages")
    table.update(values={"text": "half written"})


def test_what_a_writer_without_a_turn_writes_in_the_middle_of_a_change_stops_it(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = instance()
    store.add(make_pack("en"))
    before, pack = found(store), make_pack("ja")

    class Meanwhile(UserDict[str, object]):
        def items(self) -> ItemsView[str, object]:
            stray_rows(settings)
            return super().items()

    with monkeypatch.context() as patch:
        patch.setattr(table_module, "_INDEXES", Meanwhile(table_module._INDEXES))
        with pytest.raises(StoreUnwritable, match="another program wrote its tables at the same time"):
            store.add(pack)

    assert (found(instance()), check(Bucket(settings)).faults) == (before, ())
    assert instance().add(pack).passages == 3
    assert check(Bucket(settings)).faults == ()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from knowledge import store as module
    from knowledge.bucket import Bucket
    from knowledge.folder import StoreFolder
    from knowledge.storage import KnowledgeSettings
    from tests.knowledge.conftest import HashingEmbedder

    def die(*arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after(step):
        def run(*arguments):
            step(*arguments)
            die()
        return run

    moment = sys.argv[3]
    if moment == "before the rows":
        module.write_version = die
    elif moment == "before it counts":
        module.write_version = die_after(module.write_version)
    else:
        StoreFolder.count = die_after(StoreFolder.count)
    settings = KnowledgeSettings.model_validate_json(sys.argv[1])
    module.KnowledgeStore(Bucket(settings), HashingEmbedder()).add(Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("moment", "visible"), [("before the rows", 1), ("before it counts", 1), ("when it counts", 2)]
)
def test_a_writer_that_is_killed_leaves_nothing_half_visible_and_the_next_one_completes(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings, moment: str, visible: int
) -> None:
    instance().add(make_pack("en"))
    pack = make_pack("ja")
    brief = settings.model_copy(update={"lease_s": 1.0})
    command = [sys.executable, "-c", dedent(KILLED), brief.model_dump_json(), str(pack), moment]

    ended = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert (len(instance().list_packs()), check(Bucket(settings)).faults) == (visible, ())
    assert instance().add(pack).unchanged == (visible == 2)
    assert ([p.manifest.name for p in instance().list_packs()], check(Bucket(settings)).faults) == (
        ["test-en", "test-ja"],
        (),
    )


def test_a_tampered_source_is_not_opened(instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings) -> None:
    instance().add(make_pack("en"))
    digest = str(instance().pack("test-en").manifest.documents[0].sha256)
    obstore.put(raw(settings), f"sources/{digest}", b"Give nothing.")

    with pytest.raises(DocumentAltered):
        instance().document_text(digest)
    assert check(Bucket(settings)).faults[0].subject == f"source {digest[:12]}"


def test_lost_tables_are_made_again(instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings) -> None:
    instance().add(make_pack("en"))
    before = found(instance())
    Bucket(settings).drop("lance")

    with pytest.raises(KnowledgeBaseDamaged, match="knowledge rebuild"):
        instance()
    rebuild(Bucket(settings), HashingEmbedder())

    assert found(instance()) == before


def test_a_folder_that_was_copied_into_a_bucket_goes_on_there(
    store: KnowledgeStore, instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    store.add(make_pack("en"))
    for file in store.folder.rglob("*"):
        if file.is_file():
            obstore.put(raw(settings), file.relative_to(store.folder).as_posix(), file.read_bytes())

    copied = instance()

    assert (found(copied), copied.history()) == (found(store), store.history())
    copied.remove("test-en")
    assert (len(instance().versions()), instance().is_empty) == (2, True)
    assert check(Bucket(settings)).faults == ()


def sentences(settings: KnowledgeSettings) -> Iterator[KnowledgeError]:
    """What every way of using it says."""
    place = Bucket(settings)
    for use in (
        lambda: KnowledgeStore(place, HashingEmbedder()),
        lambda: rebuild(place, HashingEmbedder()),
        lambda: clean(place, keep=(), older_than=timedelta(0), now=datetime.now(UTC)),
        lambda: check(place),
        place.prove,
    ):
        with pytest.raises(KnowledgeError) as refused:
            use()
        yield refused.value


def test_a_key_that_is_not_accepted_is_one_sentence_without_the_key(
    settings: KnowledgeSettings, storage_server: StorageServer
) -> None:
    storage_server.demand_keys(True)
    try:
        said = list(sentences(settings))
    finally:
        storage_server.demand_keys(False)

    assert {type(error) for error in said} == {StorageRefused}
    assert all("correct the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in str(error) for error in said)
    assert not any(value in str(error) for error in said for value in KEYS.values())


def test_a_key_that_is_missing_is_named_by_its_variable(
    settings: KnowledgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(StorageRefused, match="in the variable AWS_SECRET_ACCESS_KEY; set it"):
        Bucket(settings)


def test_a_bucket_that_is_not_there_is_one_sentence(settings: KnowledgeSettings) -> None:
    elsewhere = settings.model_copy(update={"location": "s3://no-such-bucket"})

    assert {type(error) for error in sentences(elsewhere)} == {StorageMissing}


@pytest.fixture
def mute() -> Iterator[HttpUrl]:
    """An address where somebody listens and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield HttpUrl(f"http://127.0.0.1:{listening.getsockname()[1]}")


def test_an_address_where_nobody_listens_is_one_sentence(settings: KnowledgeSettings) -> None:
    elsewhere = settings.model_copy(update={"endpoint": HttpUrl("http://127.0.0.1:9")})

    assert {type(error) for error in sentences(elsewhere)} == {StorageUnreachable}


def test_an_address_that_never_answers_is_one_sentence_after_a_bounded_time(
    settings: KnowledgeSettings, mute: HttpUrl
) -> None:
    elsewhere = settings.model_copy(update={"endpoint": mute, "timeout_s": 1.0})

    with pytest.raises(StorageUnreachable):
        KnowledgeStore(Bucket(elsewhere), HashingEmbedder())


def test_a_server_that_dies_while_a_pack_goes_in_is_one_sentence(
    settings: KnowledgeSettings, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    program = moto_server()
    assert program
    with StorageServer(program) as server:
        store = KnowledgeStore(Bucket(server.bucket(timeout_s=1.0)), embedder)
        store.add(make_pack("en"))
        pack = make_pack("ja")

        def die(label: str, done: int, total: int) -> None:
            if done == total:
                server.stop()

        with pytest.raises(StorageUnreachable, match="nothing is lost"):
            store.add(pack, progress=die)
        with pytest.raises(StorageUnreachable):
            found(store)


def test_the_keys_are_in_no_object_and_in_no_name(
    instance: Instance, make_pack: PackMaker, settings: KnowledgeSettings
) -> None:
    instance().add(make_pack("en"))

    kept = b"".join(obstore.get(raw(settings), key).bytes().to_bytes() for key in keys(settings))

    assert not any(value.encode() in kept for value in KEYS.values())
    assert not any(value in str((settings, repr(settings), Bucket(settings))) for value in KEYS.values())


@pytest.mark.parametrize(
    "location",
    ["s3://", "s3://AB/x", "s3://bucket/../x", "s3://bucket//x", "gs://bucket", "s3://bucket/x?y", "file:///x"],
)
def test_a_location_that_is_no_bucket_is_refused(location: str) -> None:
    with pytest.raises(ValueError, match="s3://BUCKET/PREFIX"):
        KnowledgeSettings(location=location)


@pytest.mark.parametrize("endpoint", ["http://key:secret@host", "http://host/path", "http://host/?x=1"])
def test_an_address_with_more_than_a_host_and_a_port_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="named by their variables"):
        KnowledgeSettings.model_validate({"location": "s3://bucket", "endpoint": endpoint})


def test_a_location_on_a_disk_is_a_folder_and_none_is_the_default(tmp_path: Path) -> None:
    named = place_of(KnowledgeSettings(location=str(tmp_path / "shelf")), tmp_path)
    default = place_of(KnowledgeSettings(), tmp_path)

    assert isinstance(named, LocalFolder)
    assert isinstance(default, LocalFolder)
    assert (named.path, default.path) == (tmp_path / "shelf", tmp_path)
