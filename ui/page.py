"""What every page of the program has in common: its fonts, its translations, and how it is served.

Knows nothing of what a page shows.
"""

import json
from collections.abc import Callable
from importlib.resources import files
from string import Template

import fastapi
import gradio as gr

from agents.languages import languages
from ui.translation import translations


def blank() -> gr.Blocks:
    """An empty page; nothing that is done on it is reported to anyone."""
    return gr.Blocks(title="Med-CoReasoner", analytics_enabled=False, fill_width=True)


def spoken() -> gr.I18n:
    """The words of the program in every language that it has."""
    return gr.I18n(**{code: dict(words) for code, words in translations().items()})


def launch(
    blocks: gr.Blocks,
    i18n: gr.I18n,
    host: str,
    port: int,
    *,
    more_css: str = "",
    user_header: str = "",
) -> None:
    """Serve a page until interrupted. `more_css` names a stylesheet beside the chat's.

    Where `user_header` is given, whoever is not named in it is refused.
    """
    sheets = ("chat.css", more_css) if more_css else ("chat.css",)
    blocks.queue(api_open=False)
    blocks.launch(
        server_name=host,
        server_port=port,
        i18n=i18n,
        auth_dependency=named_in(user_header) if user_header else None,
        theme=_theme(),
        css="".join(_text(sheet) for sheet in sheets),
        js=script(),
        footer_links=[],
        show_error=False,
        share=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )


def named_in(header: str) -> Callable[[fastapi.Request], str | None]:
    """By whom a request is, as a proxy says in a header; by nobody where it does not, or says two things.

    Two there are where a browser sent one and the proxy put its own beside it.
    """

    def named(request: fastapi.Request) -> str | None:
        names = request.headers.getlist(header)
        return names[0].strip() or None if len(names) == 1 else None

    return named


def script() -> str:
    """The pages' own script, which is told what they are translated into."""
    directions = {code: languages()[code].direction for code in translations()}
    return Template(_text("chat.js")).substitute(translated=json.dumps(directions))


def _text(name: str) -> str:
    return files("ui").joinpath(name).read_text("utf-8")


def _theme() -> gr.themes.Base:
    """System fonts only: a hospital's machine reaches no font server."""
    fonts = [
        "system-ui",
        "Segoe UI",
        "Noto Sans",
        "Noto Sans CJK JP",
        "Noto Sans Arabic",
        "Noto Sans Thai",
        "sans-serif",
    ]
    return gr.themes.Base(primary_hue="blue", font=fonts, font_mono=["ui-monospace", "monospace"])
