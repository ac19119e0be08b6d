"""How a conversation is written: turns of the user are what is seen, answers end in `<EOC>`."""

from __future__ import annotations

_TEMPLATE = """\
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
    {%- if loop.last and message['role'] == 'assistant' and not add_generation_prompt -%}
      {{- eos_token -}}
    {%- endif -%}
  {%- endif -%}
{%- endfor -%}
"""


def chat_template(image: str, video: str, eoc: str) -> str:
    """The Jinja template for these tags.

    A turn of the user is what is seen and asked; an answer follows it after one space. So the
    few-shot prompt of the paper is a conversation whose turns are the supports.
    """
    template = _TEMPLATE
    for written, tag in (("<image>", image), ("<video>", video), ("<EOC>", eoc)):
        template = template.replace(f"'{written}'", repr(tag))
    return template
