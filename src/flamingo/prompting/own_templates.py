"""A model's own templates: how the prompts were written that it was trained or measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.prompting.templates import TEMPLATES, Template

_SETTINGS = ("pattern", "instruction", "ends_bare")


def own_templates(settings: Mapping[str, Any] | None) -> dict[str, Template]:
    """All templates by name: the model's own where the settings have one, else the paper's.

    Args:
        settings: of a processor: by name a pattern as `Template.parse` takes it, or a mapping
            with it and that method's other arguments.

    Raises:
        ConfigError: a name or a setting does not exist, or a pattern is malformed.

    Example:
        >>> own_templates({"caption": "Output:{output}"})["caption"].support(output="a cat")
        'Output:a cat'
    """
    own = {name: _template(name, given) for name, given in (settings or {}).items()}
    return {**TEMPLATES, **own}


def _template(name: str, given: Any) -> Template:
    if name not in TEMPLATES:
        raise ConfigError(
            f"a template is set for {name!r}, which no task asks for.\n{nearest(name, TEMPLATES)}"
        )
    wanted: Any = {"pattern": given} if isinstance(given, str) else given
    if not isinstance(wanted, Mapping) or not isinstance(wanted.get("pattern"), str):
        raise ConfigError(
            f"the template for {name!r} is {given!r}.\n"
            'Give a pattern, as in "Output: {output}", or a mapping with it as its "pattern".'
        )
    for setting in wanted:
        if setting not in _SETTINGS:
            raise ConfigError(
                f"the template for {name!r} has no setting {setting!r}.\n"
                f"{nearest(setting, _SETTINGS)}"
            )
    others: dict[str, Any] = {
        setting: value for setting, value in wanted.items() if setting != "pattern"
    }
    template = Template.parse(wanted["pattern"], **others)
    needed, known = ({*one.fields, one.answer} for one in (template, TEMPLATES[name]))
    if needed != known:
        raise ConfigError(
            f"the template for {name!r} has the fields {sorted(needed)}, but examples of it have "
            f"{sorted(known)}.\nWrite the pattern with these."
        )
    return template
