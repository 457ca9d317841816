"""The panels of a board as components of Gradio, laid out alike on the page that argues and on the one that replays.

Knows nothing of what they show.
"""

from typing import Any

import gradio as gr

from ui.board import PANELS
from ui.translation import Translation, preferred, translation

REDRAW_S = 0.12

Update = dict[gr.blocks.Block, Any]


def lay_out_panels(prefix: str = "") -> dict[str, gr.HTML]:
    """One component a panel, here; `prefix` begins their element ids."""
    made = {name: gr.HTML(elem_id=f"{prefix}{name}", elem_classes=name) for name in ("alarm", "status")}
    with gr.Row(equal_height=True, elem_id=f"{prefix}lanes", elem_classes="lanes"):
        for side in ("english", "local"):
            made[side] = gr.HTML(elem_id=f"{prefix}{side}-lane", elem_classes=f"{side}-lane", min_width=300)
    made |= {name: gr.HTML(elem_id=f"{prefix}{name}") for name in PANELS if name not in made}
    return made


def page_language(request: gr.Request) -> str:
    """The language in which a browser wants the page."""
    return preferred(request.headers.get("accept-language", ""))


def page_words(request: gr.Request) -> Translation:
    """The words of that language."""
    return translation(page_language(request))
