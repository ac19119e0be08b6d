"""Templates that turn the name of a class into a text, for zero-shot classification.

The paper gives one of its templates, "A photo of a {class}", and averages over several; which
others it took, it does not say.
"""

from __future__ import annotations

IMAGE_TEMPLATES = (
    "A photo of a {class}",
    "A photo of the {class}",
    "A photo of one {class}, seen up close",
    "A photo of a {class} from far away",
    "A small {class} in a large picture",
    "A dark photo of a {class}",
    "A blurred photo of a {class}",
    "A drawing of a {class}",
    "There is a {class} in this picture",
)
"""For classes that are things, as on ImageNet."""

ACTION_TEMPLATES = (
    "A video of {class}",
    "A video of a person {class}",
    "People who are {class}",
    "Someone is {class}",
    "A photo taken while somebody was {class}",
)
"""For classes that are actions, as on Kinetics; single frames are compared with them too."""
