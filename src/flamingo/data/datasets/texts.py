"""From a document without visuals to a training sequence for the language model alone."""

from __future__ import annotations

from dataclasses import dataclass

from flamingo.data.datasets.annotations import annotation_of
from flamingo.data.datasets.draws import Draws
from flamingo.data.datasets.raw_samples import RawSample
from flamingo.data.datasets.windows import cut_window
from flamingo.data.encoding import Encoded, Encoder
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class TextMaker:
    """Makes a random window of a document, `<BOS>text<EOS>`.

    There is no `<EOC>`: it closes the text of a visual, and the language model's own documents
    have none.

    Args:
        encoder: turns documents into token ids.
        max_tokens: of one sequence.
    """

    encoder: Encoder
    max_tokens: int

    def __call__(self, raw: RawSample, draws: Draws) -> Encoded:
        """A window of the document.

        Raises:
            BrokenSample: the text cannot be used.
            SequenceError: the text has a tag in it.
        """
        document = Interleaved.of(annotation_of(raw).text)
        opened = self.encoder(document, is_complete=False)
        ids = self.encoder.prepared.ids
        whole = Encoded(
            [*opened.token_ids, ids.eos],
            [*opened.visual_index, 0],
            (),
            [*opened.loss_weights, 1.0],
        )
        window = cut_window(
            whole,
            max_tokens=self.max_tokens,
            max_visuals=0,
            end_of_chunk=ids.eoc,
            sees="previous",
            rng=draws("window"),
        )
        return window.encoded
