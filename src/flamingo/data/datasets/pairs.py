"""From an image or a video with its text to a training sequence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from flamingo.data.augmentations import prepend_space
from flamingo.data.datasets.annotations import Annotation, annotation_of
from flamingo.data.datasets.draws import Draws
from flamingo.data.datasets.media import STAND_IN, VisualReader, only_media
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.data.encoding import Encoded, Encoder
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class PairMaker:
    """Makes `<BOS><image>text<EOC><EOS>` of one visual and its text.

    Args:
        encoder: turns documents into token ids.
        read_visual: decodes images or videos.
        endings: of the members that can be looked at.
        media_field: the JSON field that may name what is seen.
        max_tokens: the text is cut there.
        space_probability: how often the text begins with a space.
        learn_prompt: whether the loss is also taken on the prompt.

    Paper: Sec. 3.1, App. A.3.
    """

    encoder: Encoder
    read_visual: VisualReader
    endings: Collection[str]
    media_field: str
    max_tokens: int
    space_probability: float
    learn_prompt: bool

    def __call__(self, raw: RawSample, draws: Draws) -> Encoded:
        """The sequence of one pair.

        Raises:
            BrokenSample: text or visual cannot be used.
            SequenceError: the text has a tag in it.
        """
        annotation = annotation_of(raw, media_field=self.media_field)
        name = only_media(raw, self.endings, named=annotation.media)
        encoded = self._encoded(annotation, draws)
        return replace(encoded, visuals=(self.read_visual(raw, name, draws("visual")),))

    def _encoded(self, annotation: Annotation, draws: Draws) -> Encoded:
        prompt, text = annotation.prompt, annotation.text
        pair = Interleaved.of(STAND_IN, prompt or text)
        if (rng := draws("space")) is not None:
            pair = prepend_space(pair, rng, probability=self.space_probability)
        encoded = self.encoder(pair, is_complete=not prompt)
        if prompt:
            encoded = self._answered(encoded, text)
        return _cut(encoded, self.max_tokens)

    def _answered(self, prompt: Encoded, text: str) -> Encoded:
        # Apart from the prompt, and with the space that belongs to it: so candidates and
        # generated answers meet their prompts at inference.
        answer = self.encoder(Interleaved.of(f" {text}"), is_complete=True)
        if len(prompt) >= self.max_tokens:
            raise BrokenSample(
                f"the prompt alone has {len(prompt)} of at most {self.max_tokens} tokens"
            )
        weights = prompt.loss_weights if self.learn_prompt else [0.0] * len(prompt)
        return Encoded(
            prompt.token_ids + answer.token_ids[1:],
            prompt.visual_index + [1] * (len(answer) - 1),
            prompt.visuals,
            weights + answer.loss_weights[1:],
        )


def _cut(encoded: Encoded, max_tokens: int) -> Encoded:
    return Encoded(
        encoded.token_ids[:max_tokens],
        encoded.visual_index[:max_tokens],
        encoded.visuals,
        encoded.loss_weights[:max_tokens],
    )
