"""The words that the miniature's texts are made of."""

from __future__ import annotations

COLOR_WORDS = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "pink")
SHAPE_WORDS = ("circle", "square", "triangle", "diamond", "star", "cross", "heart", "ring")
PLURALS = {shape: shape + ("es" if shape.endswith("s") else "s") for shape in SHAPE_WORDS}
SIZE_WORDS = ("small", "medium", "large")
TEXTURE_WORDS = ("solid", "striped", "dotted", "checkered")
BACKGROUND_WORDS = ("black", "white", "gray", "brown")
NUMBER_WORDS = ("one", "two", "three", "four", "five")
MOTION_PHRASES = {
    "left": "moves left",
    "right": "moves right",
    "up": "moves up",
    "down": "moves down",
    "growing": "grows",
    "shrinking": "shrinks",
    "still": "stays still",
}

# fmt: off
GLUE_WORDS: tuple[str, ...] = (
    "a", "an", "the", "this", "that", "it", "is", "are", "there", "of", "on", "in", "at", "to",
    "and", "or", "with", "not", "yes", "no", "here", "what", "which", "where", "how", "many",
    "does", "do", "color", "shape", "size", "texture", "background", "thing", "things", "picture",
    "image", "look", "name", "word", "label", "kind", "motion", "caption", "left", "right", "up",
    "down", "above", "below", "top", "bottom", "center", "middle", "moves", "moving", "grows",
    "growing", "shrinks", "shrinking", "stays", "still", "Output", "Question", "Answer", "Caption",
    "Label", "Look", "Name", "This", "The", "A", "It", "Is", "What", "sign", "says", "say", "first",
    "then", "turns", "into", "true",
)
# fmt: on
"""Words that name no attribute of a thing."""

WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *COLOR_WORDS,
            *SHAPE_WORDS,
            *PLURALS.values(),
            *SIZE_WORDS,
            *TEXTURE_WORDS,
            *BACKGROUND_WORDS,
            *NUMBER_WORDS,
            *GLUE_WORDS,
        )
    )
)
"""Every word that is one token, alone and after a space."""
