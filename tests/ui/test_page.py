"""Who asks, as a reverse proxy says: to a real page of Gradio, over its own routes.

Tests of it are coroutines, since Gradio makes an event loop, and leaves it open, where none runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest

from ui.errors import HeaderUntrusted
from ui.page import named_in
from ui.ports import require_trusted

HEADER = "X-Remote-User"


@contextmanager
def served() -> Iterator[str]:
    """The address of a page behind a proxy."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.Textbox()
    behind = named_in(HEADER)
    _, address, _ = blocks.launch(auth_dependency=behind, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    try:
        yield address
    finally:
        blocks.close(verbose=False)


def asked(address: str, path: str, *names: str) -> httpx.Response:
    return httpx.get(f"{address}{path}", headers=[(HEADER, name) for name in names])


async def test_whoever_the_proxy_names_is_who_asks() -> None:
    with served() as address:
        assert asked(address, "gradio_api/user", "sato").json() == "sato"
        assert asked(address, "", "sato").status_code == 200


async def test_whoever_is_not_named_once_sees_nothing() -> None:
    nobody: tuple[tuple[str, ...], ...] = ((), ("",), ("sato", "amina"))
    with served() as address:
        answers = {asked(address, path, *names).status_code for path in ("", "config") for names in nobody}

    assert answers == {401}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_header_is_believed_from_this_machine(host: str) -> None:
    require_trusted(host, HEADER)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "ward.example"])
def test_a_header_is_not_believed_where_others_could_send_it(host: str) -> None:
    require_trusted(host, "")
    with pytest.raises(HeaderUntrusted):
        require_trusted(host, HEADER)
