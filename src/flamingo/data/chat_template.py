"""How a conversation is written: as a few-shot prompt, or as a dialogue of named speakers."""

from __future__ import annotations

_FEW_SHOT = """\
{{- bos_token or eos_token -}}
{%- for message in messages -%}
  {%- set parts = message['content'] -%}
  {%- if parts is string -%}
    {%- set parts = [{'type': 'text', 'text': parts}] -%}
  {%- endif -%}
  {%- for part in parts -%}
    {%- if part['type'] == 'image' -%}
      {{- '<image>' -}}
    {%- elif part['type'] == 'video' -%}
      {{- '<video>' -}}
    {%- elif part['type'] == 'text' -%}
      {%- if message['role'] == 'assistant' and loop.first
             and part['text'][:1] not in [' ', '\\n'] -%}
        {{- ' ' -}}
      {%- endif -%}
      {{- part['text'] -}}
    {%- else -%}
      {{- raise_exception('a content part is of the type ' ~ part['type']
                          ~ '; known are image, video and text') -}}
    {%- endif -%}
  {%- endfor -%}
  {%- if message['role'] in ['assistant', 'system'] -%}
    {{- '<EOC>' -}}
<AFTER>    {%- if loop.last and message['role'] == 'assistant' and not add_generation_prompt -%}
      {{- eos_token -}}
    {%- endif -%}
  {%- endif -%}
{%- endfor -%}
"""


_AFTER = """\
    {%- if not loop.last or add_generation_prompt -%}
      {{- '<after>' -}}
    {%- endif -%}
"""

_DIALOGUE = """\
{{- bos_token -}}
{%- for message in messages -%}
  {%- set speakers = {'user': 'User:', 'assistant': 'Assistant:', 'system': ''} -%}
  {%- if message['role'] not in speakers -%}
    {{- raise_exception('a turn has the role ' ~ message['role']
                        ~ '; known are user, assistant and system') -}}
  {%- endif -%}
  {%- set speaker = speakers[message['role']] -%}
  {{- speaker -}}
  {%- set parts = message['content'] -%}
  {%- if parts is string -%}
    {%- set parts = [{'type': 'text', 'text': parts}] -%}
  {%- endif -%}
  {%- for part in parts -%}
    {%- if part['type'] == 'image' -%}
      {{- '<image>' -}}
    {%- elif part['type'] == 'video' -%}
      {{- '<video>' -}}
    {%- elif part['type'] == 'text' -%}
      {%- if speaker and loop.first and part['text'][:1] not in [' ', '\\n'] -%}
        {{- ' ' -}}
      {%- endif -%}
      {{- part['text'] -}}
    {%- else -%}
      {{- raise_exception('a content part is of the type ' ~ part['type']
                          ~ '; known are image, video and text') -}}
    {%- endif -%}
  {%- endfor -%}
  {{- '<EOC>' -}}
  {%- if not loop.last or add_generation_prompt -%}
    {{- '<after>' -}}
  {%- elif message['role'] == 'assistant' -%}
    {{- eos_token -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- 'Assistant:' -}}
{%- endif -%}
"""


def chat_template(
    image: str,
    video: str,
    eoc: str,
    *,
    begins_with_bos: bool = True,
    after_eoc: str = "",
    separator: str = " ",
) -> str:
    """The Jinja template for these tags.

    A turn of the user is what is seen and asked; an answer follows it after one space. So the
    few-shot prompt of the paper is a conversation whose turns are the supports.

    Args:
        image: the tag of an image.
        video: the tag of a video.
        eoc: ends an answer.
        begins_with_bos: whether conversations begin with a token of their own.
        after_eoc: stands between an answer and what follows it.
        separator: stands before answers that bring no space themselves.
    """
    template = _FEW_SHOT.replace("<AFTER>", _AFTER if after_eoc else "")
    if not begins_with_bos:
        template = template.partition("\n")[2]
    template = template.replace("{{- ' ' -}}", f"{{{{- {separator!r} -}}}}")
    return _written(template, image, video, eoc, after_eoc)


def dialogue_template(image: str, video: str, eoc: str, *, after_eoc: str = "") -> str:
    """The Jinja template of a dialogue: `User: …<EOC>Assistant: …<EOC>`.

    A turn that begins with text has a space before it, one that begins with a visual has none.
    A system turn is written without a speaker.

    Args:
        image: the tag of an image.
        video: the tag of a video.
        eoc: ends a turn.
        after_eoc: stands between two turns, behind the end of the first.
    """
    return _written(_DIALOGUE, image, video, eoc, after_eoc)


def _written(template: str, image: str, video: str, eoc: str, after_eoc: str) -> str:
    named = {"<image>": image, "<video>": video, "<EOC>": eoc, "<after>": after_eoc}
    for written, tag in named.items():
        template = template.replace(f"'{written}'", repr(tag))
    return template
