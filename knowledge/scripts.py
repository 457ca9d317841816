"""What writing systems ask of text that was laid out on a page: forms, directions, and lines without spaces.

Works on characters alone; it knows nothing of pages or files.
"""

import re
import unicodedata
from collections.abc import Sequence

# Letters as they look at one place in a word or a column, not as they are spelt: Arabic presentation forms, Latin
# ligatures, the punctuation of vertical lines, and the radicals that fonts name instead of Chinese characters.
_FORMS = re.compile("[\u2e80-\u2fdf\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdfc\ufe10-\ufe19\ufe30-\ufe4f\ufe70-\ufefc]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u2e80-\u312f\u31a0-\u9fff\ua9e0-\uaa7f"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WORD = r"[^\W_\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+(?:[.,:/%+\-][^\W_\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+)*"
# Words of the other direction, and several of them together; numbers follow one another from right to left.
_LEFT_TO_RIGHT_RUN = re.compile(rf"(?!\d){_WORD}(?: \.?(?!\d){_WORD})*|{_WORD}%?")
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_SENTENCE_END = re.compile("[.!?:;…。！？：；｡؟۔।॥።៕၊။][\"'”’»」』）)\\]]*\\s*$")


def spelt(text: str) -> str:
    """Presentation forms as the letters that they stand for; everything else, such as m² and ½, as it was."""
    return _FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]).strip() or match[0], text)


def is_unspaced(character: str) -> bool:
    """Whether its script is written without spaces between words, so that a line may end inside one."""
    return bool(_UNSPACED.match(character))


def is_right_to_left(text: str) -> bool:
    """Whether most of its letters run from right to left."""
    return 2 * len(_RIGHT_TO_LEFT.findall(text)) > sum(character.isalpha() for character in text)


def ends_sentence(text: str) -> bool:
    """Whether it ends like a sentence or like what introduces a list."""
    return bool(_SENTENCE_END.search(text))


def has_right_to_left(text: str) -> bool:
    """Whether any of its letters run from right to left."""
    return bool(_RIGHT_TO_LEFT.search(text))


def logical(glyphs: Sequence[str]) -> str:
    """The text of a line's glyphs, given from left to right, in the order in which a right-to-left line is read.

    A glyph may stand for several letters, which are in the order of reading already.
    """
    backwards = "".join(reversed(glyphs)).translate(_MIRRORED)
    return _LEFT_TO_RIGHT_RUN.sub(lambda match: match[0][::-1], backwards)
