"""A command as one text: the words that a shell would make of it, without a shell.

Nothing stands for a variable, a pattern or another command here. A word that only a shell gives a meaning to is refused,
because the program would get it as an argument. As in Compose, a backslash goes away in double quotes too, and so in
"a\\n"; other than there, a backslash at the end of a line takes the line end with it.
"""

import re

from .problems import shown

# As a word, or at the start or end of one. Within a word, such as "a=1&b=2", they are ordinary characters.
OPERATOR = re.compile(r"(?:[;&|<>(]|\d+[<>]).*|.*[;&|<>]\Z", re.DOTALL)

ADVICE = 'write ["sh", "-c", "…"] with the whole command as the last text, or put the word into quotes'


class Unclear(ValueError):
    """The text has no words that one could be sure of."""

    def __init__(self, text, advice):
        super().__init__(text)
        self.text, self.advice = text, advice


def words(text):
    """The words, and the first of them that a shell would cut in two."""
    found, word, quote = [], None, ""
    position, end = 0, len(text)
    while position < end:
        one = text[position]
        position += 1
        if one == "\\" and quote != "'":
            if position >= end:
                raise Unclear("a backslash ends it", "remove the backslash, or double it")
            one = text[position]
            position += 1
            if one != "\n":  # else the line goes on
                word = word or Word()
                word.add(one, ".")
        elif quote:
            if one == quote:
                quote = ""
            else:
                word.add(one, ".")
        elif one in "'\"":
            quote, word = one, word or Word()
        elif one in " \t\r\n":
            finish(found, word)
            word = None
        else:
            word = word or Word()
            word.add(one, one)
    if quote:
        raise Unclear(f"a quote {quote} in it is never closed", "close it, or write the command as a list of words")
    finish(found, word)
    texts = [text for text, _ in found]
    return texts, next((text for text, shape in found if any(one in shape for one in ";&|<>")), None)


class Word:
    """`shape` has a dot for each character that a shell would not look at."""

    def __init__(self):
        self.text, self.shape = [], []

    def add(self, text, shape):
        self.text.append(text)
        self.shape.append(shape)


def finish(found, word):
    if word is None:
        return
    text, shape = "".join(word.text), "".join(word.shape)
    if OPERATOR.match(shape) or "$(" in shape or shape.count("`") % 2:
        raise Unclear(f"{shown(text)} has a meaning for a shell, and no shell runs here", ADVICE)
    found.append((text, shape))
