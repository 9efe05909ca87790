"""Products as words. The prediction service splits text in the same way; a change here is a change there."""
import re

WORD = re.compile(r"[^\W_]+")


def words(text):
    """The words of a text in order, lower case: maximal runs of letters and digits."""
    return WORD.findall(text.lower())


def product_words(designation, description):
    """Words of a whole product; either part may be None."""
    return words(f"{designation or ''} {description or ''}")
