from __future__ import annotations

from flamingo.foundation.randomness import generator
from flamingo.miniature.formats import CAPTIONING, HELD_OUT, NAMING, PECULIAR, random_format
from flamingo.miniature.scene import COLORS, SHAPES


def test_held_out_forms_are_no_training_forms() -> None:
    assert not set(HELD_OUT) & {*CAPTIONING, *NAMING, *PECULIAR}


def test_the_answer_stands_in_every_form_with_its_own_space() -> None:
    for form in (*CAPTIONING, *NAMING, *PECULIAR, *HELD_OUT):
        assert not form.before.endswith(" ")
        assert f"{form.before} daku".strip() in form.write("daku")


def test_arbitrary_forms_name_no_attribute() -> None:
    for index in range(300):
        form = random_format(generator("test form", index))
        assert not {*COLORS, *SHAPES} & set(form.write("").replace(":", " ").split())


def test_arbitrary_forms_are_never_held_out_and_end_and_begin_with_anything() -> None:
    forms = [random_format(generator("test any form", index)) for index in range(3000)]
    assert not set(forms) & set(HELD_OUT)
    assert len({form.before.split()[0] for form in forms}) > 500
    assert len({form.after for form in forms}) > 20
