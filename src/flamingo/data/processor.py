"""Text, images and videos in, tensors out: the processor that transformers users expect."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import BatchFeature, PreTrainedTokenizerBase, ProcessorMixin

from flamingo.data.batching import PaddingSide, collate
from flamingo.data.chat_template import chat_template as make_chat_template
from flamingo.data.encoding import Encoder
from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.released_processors import Tokenizer, released_parts
from flamingo.data.tagged_text import documents_of, refuse_tags_in_chat
from flamingo.data.tokenizer import prepare_tokenizer
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.sequence import Interleaved, Visual

# What transformers passes by habit; rows are always padded, and `<BOS>` always stands once.
_WITHOUT_EFFECT = ("padding", "add_special_tokens", "do_sample_frames", "return_attention_mask")
_HUB = ("cache_dir", "force_download", "local_files_only", "token", "revision")
_SAMPLING = ("num_frames", "fps", "max_frames")


class FlamingoProcessor(ProcessorMixin):
    """Makes the inputs of a Flamingo from texts with tags, documents, or conversations.

    Args:
        image_processor: how visuals become pixels.
        tokenizer: any transformers tokenizer; the tags that it lacks are added to it.
        chat_template: how conversations are written; a fitting one if not given.
        image_tag: how the tag of a visual is written.
        video_tag: how the tag of a visual that is in `videos=` is written.
        eoc_tag: how the end of a chunk is written.
        image_as_text: whether the image tag is read as ordinary text.
        begins_with_bos: whether sequences begin with a token of their own.
        around_image: stands on both sides of image tags, if not empty.
        after_eoc: follows on the end of an example, if not empty.
        eoc_as_text: whether the end of a chunk is ordinary text, of one token.
        closes_before_visuals: whether a visual ends the text before it.
        whole_text: whether a sequence is tokenized as one string, and not each text apart.
        pad_tag: fills up rows, if the tokenizer has no token for that.
        templates: the model's own templates, by the names of the paper's, see `own_templates`.

    Example:
        processor = FlamingoProcessor(FlamingoImageProcessor(320), tokenizer)
        inputs = processor(text="<image>Output:", images="cat.jpg")
        model.generate(**inputs)
    """

    def __init__(
        self,
        image_processor: FlamingoImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        chat_template: str | dict[str, str] | None = None,
        image_tag: str = "<image>",
        video_tag: str = "<video>",
        eoc_tag: str = "<EOC>",
        image_as_text: bool = False,
        begins_with_bos: bool = True,
        around_image: str = "",
        after_eoc: str = "",
        eoc_as_text: bool = False,
        closes_before_visuals: bool = True,
        whole_text: bool = False,
        pad_tag: str | None = None,
        templates: dict[str, Any] | None = None,
    ) -> None:
        if chat_template is None:
            chat_template = make_chat_template(
                image_tag,
                video_tag,
                eoc_tag,
                begins_with_bos=begins_with_bos,
                after_eoc=after_eoc,
            )
        super().__init__(image_processor, tokenizer, chat_template=chat_template)
        self.image_tag = image_tag
        self.video_tag = video_tag
        self.eoc_tag = eoc_tag
        self.image_as_text = image_as_text
        self.begins_with_bos = begins_with_bos
        self.around_image = around_image
        self.after_eoc = after_eoc
        self.eoc_as_text = eoc_as_text
        self.closes_before_visuals = closes_before_visuals
        self.whole_text = whole_text
        self.pad_tag = pad_tag
        self.templates = templates
        self.encoder()

    def encoder(self, max_tokens: int | None = None) -> Encoder:
        """From documents to token ids."""
        prepared = prepare_tokenizer(
            self.tokenizer,
            self.image_tag,
            self.eoc_tag,
            image_as_text=self.image_as_text,
            begins_with_bos=self.begins_with_bos,
            around_image=self.around_image,
            after_eoc=self.after_eoc,
            eoc_as_text=self.eoc_as_text,
            closes_before_visuals=self.closes_before_visuals,
            whole_text=self.whole_text,
            pad_tag=self.pad_tag,
        )
        return Encoder(prepared, max_tokens=max_tokens)

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: str | list[str] | None = None,
        videos: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Encodes texts in which tags stand for visuals.

        Args:
            images: the visuals of the image tags: one, a flat list in the order of the tags, or
                one list per text. Each is an image or a video, as a path, picture or array.
            text: one text or several, as prompts; one that ends in `<EOS>` is complete.
            videos: the visuals of the video tags, or of the image tags if there are no `images`.
            options: `return_tensors` ("pt" or "np"), `padding_side` ("left" by default),
                `truncation` and `max_length`, `num_frames`, `fps` and `max_frames` of videos.

        Raises:
            SequenceError: tags and visuals do not fit together, or cutting would lose a visual.
            MediaError: a visual cannot be read.
            ConfigError: an option does not exist.
        """
        if text is None:
            raise ConfigError(
                f"the processor was called without text.\nGive text with one {self.image_tag} tag "
                "per visual; `processor.image_processor` transforms visuals alone."
            )
        settings = _settings(options)
        sampling = {name: settings.pop(name) for name in _SAMPLING if name in settings}

        def load(source: Any) -> Visual:
            return self.image_processor.load(source, **sampling)

        texts = [text] if isinstance(text, str) else list(text)
        markup = self.encoder().prepared.markup
        tagged = documents_of(texts, images, videos, markup, self.video_tag, load)
        documents, are_complete = zip(*tagged, strict=True) if tagged else ((), ())
        return self.encode(list(documents), is_complete=list(are_complete), **settings)

    def encode(
        self,
        documents: Sequence[Interleaved],
        *,
        is_complete: bool | Sequence[bool] = False,
        padding_side: PaddingSide = "left",
        max_length: int | None = None,
        with_labels: bool = False,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Encodes documents of text and visuals.

        Args:
            documents: one per row.
            is_complete: whether they are closed by `<EOC><EOS>`, or left open as prompts.
            padding_side: "left" to generate, "right" to train.
            max_length: longer rows lose text at their end, never a visual.
            with_labels: whether to add `labels`, -100 where nothing is to be predicted.
            return_tensors: "pt", or "np" for arrays.

        Raises:
            SequenceError: a text contains a tag, or cutting would lose a visual.
        """
        encoder = self.encoder(max_length)
        if isinstance(is_complete, bool):
            is_complete = [is_complete] * len(documents)
        rows = [
            encoder(document, is_complete=complete)
            for document, complete in zip(documents, is_complete, strict=True)
        ]
        pad_id = encoder.prepared.ids.pad
        batch = collate(rows, self.image_processor.transform, pad_id, padding_side)
        data = batch.model_inputs()
        if with_labels:
            data["labels"] = batch.labels
        return BatchFeature(data, tensor_type=return_tensors)

    def apply_chat_template(self, conversation: Any, *args: Any, **kwargs: Any) -> Any:
        """Writes a conversation as a sequence, and encodes it with `tokenize=True`.

        Each turn's content is a string, or a list of `{"type": "text", "text": …}`,
        `{"type": "image", "image": …}` and `{"type": "video", "video": …}`.

        Raises:
            SequenceError: a turn's text contains a tag.
        """
        markup = self.encoder().prepared.markup
        tags = (*markup.tags, self.video_tag)
        safe = refuse_tags_in_chat(conversation, tags)
        return super().apply_chat_template(safe, *args, **kwargs)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, tokenizer: Tokenizer | None = None, **kwargs: Any
    ) -> FlamingoProcessor:
        """Loads a processor; that of a released OpenFlamingo or IDEFICS is made of their files.

        Args:
            source: a folder or a name on a hub.
            tokenizer: of an OpenFlamingo's language model, or where it is, see `released_parts`.
            kwargs: how a hub is asked (`revision`, `token` and so on), and other settings than
                those that were saved.

        Raises:
            CheckpointError: it is a released model, and something of it is missing.
            ConfigError: a tokenizer is given for a model that brings its own.
        """
        hub = {name: kwargs[name] for name in _HUB if name in kwargs}
        parts = released_parts(source, tokenizer, **hub)
        if parts is not None:
            own = {name: value for name, value in kwargs.items() if name not in hub}
            return cls(**{**parts, **own})
        if tokenizer is not None:
            raise ConfigError(
                f"tokenizer= was given, but the processor of {source} brings its own.\n"
                "It is for an OpenFlamingo, a folder with checkpoint.pt. Leave it out."
            )
        return super().from_pretrained(source, **kwargs)

    @staticmethod
    def validate_init_kwargs(
        processor_config: dict[str, Any], valid_kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The saved settings that are none of ours, and those that are; used when loading."""
        # transformers looks at the code object of `__init__`, which a decorator hides.
        ours = inspect.signature(FlamingoProcessor.__init__).parameters
        known = {name: value for name, value in processor_config.items() if name in ours}
        return {n: v for n, v in processor_config.items() if n not in ours}, known

    @property
    def model_input_names(self) -> list[str]:
        """The names of what a call returns."""
        return ["input_ids", "attention_mask", "visual_index", "pixel_values", "frame_mask"]


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call, nested ones brought to the top, those without effect left out."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        nested = name in ("text_kwargs", "images_kwargs", "videos_kwargs", "common_kwargs")
        flat |= dict(value) if nested else {name: value}
    is_cut = flat.pop("truncation", False) not in (False, None, "do_not_truncate")
    max_length = flat.pop("max_length", None)
    if flat.get("padding") == "max_length":
        raise ConfigError(
            "padding='max_length' is not supported.\nRows are padded to the longest one."
        )
    # Chat templates and pipelines hand over what they do not have as None.
    settings = {
        name: value
        for name, value in flat.items()
        if name not in _WITHOUT_EFFECT and value is not None
    }
    known = ("return_tensors", "padding_side", "with_labels", *_SAMPLING)
    for name in settings:
        if name not in known:
            raise ConfigError(
                f"the processor has no option {name!r}.\n"
                f"{nearest(name, (*known, 'truncation', 'max_length'))}"
            )
    return settings | ({"max_length": max_length} if is_cut else {})
