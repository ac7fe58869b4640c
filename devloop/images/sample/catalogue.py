"""The goods of the sample shop: the catalogue serves them; the shop, its worker and its report fetch them."""

import json
from urllib.error import URLError
from urllib.request import urlopen

Item = dict[str, object]

ITEMS: tuple[Item, ...] = (
    {"id": "kettle", "name": "Kettle", "price": 39.0},
    {"id": "lamp", "name": "Lamp", "price": 54.5},
    {"id": "chair", "name": "Chair", "price": 120.0},
    {"id": "shelf", "name": "Shelf", "price": 89.9},
)


class Unreachable(Exception):
    """The catalogue does not answer with items."""


def fetch(url: str, timeout: float = 2.0) -> tuple[Item, ...]:
    try:
        with urlopen(f"{url.rstrip('/')}/items", timeout=timeout) as answer:
            return tuple(json.loads(answer.read())["items"])
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(str(error)) from None


def index(items: tuple[Item, ...]) -> dict[str, list[str]]:
    """Word -> ids of the items with this word in their name."""
    words: dict[str, list[str]] = {}
    for item in items:
        for word in str(item["name"]).lower().split():
            words.setdefault(word, []).append(str(item["id"]))
    return words
