"""Tiny folders in the official layouts of the image benchmarks, with pictures drawn here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COLORS = {
    "red": (214, 40, 40),
    "green": (46, 160, 67),
    "blue": (39, 89, 209),
    "yellow": (240, 200, 30),
    "gray": (128, 128, 128),
    "purple": (130, 60, 170),
}
CLASSES = ("n01440764", "n01443537", "n02123045")
"""Tench, goldfish, tabby."""


def make_coco(folder: Path, num: int = 6) -> None:
    """Karpathy's splits; of "restval", which belongs to the training part, half as many."""
    images = []
    sizes = {"train": num, "restval": num // 2, "val": num, "test": num}
    for split, start in zip(sizes, range(100, 500, 100), strict=True):
        part = "train2014" if split == "train" else "val2014"
        for number in range(start, start + sizes[split]):
            name = f"COCO_{part}_{number:012d}.jpg"
            draw(folder / part / name, number)
            images.append(
                {
                    "filepath": part,
                    "filename": name,
                    "imgid": len(images),
                    "cocoid": number,
                    "split": split,
                    "sentids": list(range(5)),
                    "sentences": _sentences(number, imgid=len(images)),
                }
            )
    _write(folder / "dataset_coco.json", {"images": images, "dataset": "coco"})


def make_flickr30k(folder: Path, num: int = 6) -> None:
    """Karpathy's splits."""
    images = []
    for split, start in (("train", 1000), ("val", 2000), ("test", 3000)):
        for number in range(start, start + num):
            draw(folder / "flickr30k-images" / f"{number}.jpg", number)
            images.append(
                {
                    "filename": f"{number}.jpg",
                    "imgid": len(images),
                    "split": split,
                    "sentids": list(range(5)),
                    "sentences": _sentences(number, imgid=len(images)),
                }
            )
    _write(folder / "dataset_flickr30k.json", {"images": images, "dataset": "flickr30k"})


def make_vqav2(folder: Path, num: int = 6) -> None:
    """Two parts with answers, and test-dev, which is the first half of test-std."""
    for part, start in (("train2014", 100), ("val2014", 200)):
        _vqa_part(folder, part, start, num, prefix="v2_", stem=lambda answer: answer)
    questions = _questions(folder, "test2015", 300, num)
    for name, asked in (("test-dev2015", questions[: (num + 1) // 2]), ("test2015", questions)):
        _write(folder / f"v2_OpenEnded_mscoco_{name}_questions.json", {"questions": asked})


def make_okvqa(folder: Path, num: int = 6) -> None:
    """Two parts whose answers are written and stemmed."""
    for part, start in (("train2014", 100), ("val2014", 200)):
        _vqa_part(folder, part, start, num, prefix="", stem=lambda answer: answer.rstrip("s"))


def make_vizwiz(folder: Path, num: int = 6) -> None:
    """Three parts; the test has no answers."""
    for part in ("train", "val", "test"):
        records = []
        for number in range(num):
            name = f"VizWiz_{part}_{number:08d}.jpg"
            draw(folder / part / name, number)
            record: dict[str, Any] = {"image": name, "question": "What color is this? "}
            if part != "test":
                answers = [*_answers(number)[:9], "unanswerable"]
                record["answers"] = [
                    {"answer_confidence": "yes", "answer": answer} for answer in answers
                ]
                record |= {"answer_type": "other", "answerable": 1}
            records.append(record)
        _write(folder / f"{part}.json", records)


def make_textvqa(folder: Path, num: int = 6) -> None:
    """Three parts; the test has no answers."""
    for part, start in (("train", 0), ("val", 34602), ("test", 39602)):
        data = []
        for number in range(start, start + num):
            name = f"{number:016x}"
            draw(folder / f"{'test' if part == 'test' else 'train'}_images" / f"{name}.jpg", number)
            record = {
                "question": "what color is written here?",
                "image_id": name,
                "image_classes": ["Poster"],
                "question_id": number,
                "set_name": part,
            }
            data.append(record if part == "test" else {**record, "answers": _answers(number)})
        content = {"dataset_type": part, "dataset_name": "textvqa", "data": data}
        _write(folder / f"TextVQA_0.5.1_{part}.json", content)


def make_visdial(folder: Path, num: int = 6) -> None:
    """Dialogs of ten rounds, of which the test has fewer; relevance for one round of each."""
    answers = [*COLORS, "yes", "no", *(f"it is number {number}" for number in range(112))]
    questions = ["what color is it", "is it a square", "is it large", "can you count it"]
    coco = ("train2014", "val2014")
    for number in range(num):
        part = coco[number % 2]
        draw(folder / part / f"COCO_{part}_{500 + number:012d}.jpg", number)
    dialogs = [_dialog(500 + number, 10, options=True) for number in range(num)]
    _write(folder / "visdial_1.0_train.json", _visdial("train", questions, answers, dialogs))
    for part, start in (("val", 600), ("test", 700)):
        name = f"VisualDialog_{part}2018"
        for number in range(start, start + num):
            draw(folder / name / f"{name}_{number:012d}.jpg", number)
        dialogs = [
            _dialog(start + number, 10 if part == "val" else 1 + number % 10, options=part == "val")
            for number in range(num)
        ]
        if part == "test":
            for dialog in dialogs:
                last = dialog["dialog"][-1]
                del last["answer"]
                last["answer_options"] = list(range(100))
        _write(folder / f"visdial_1.0_{part}.json", _visdial(part, questions, answers, dialogs))
    _write(
        folder / "visdial_1.0_val_dense_annotations.json",
        [
            {
                "image_id": 600 + number,
                "round_id": 1 + number % 10,
                "gt_relevance": [float(place in (number % 6, 50)) for place in range(100)],
            }
            for number in range(num)
        ],
    )


def make_hateful_memes(folder: Path, num: int = 6) -> None:
    """All five parts with labels, as in later releases; both labels occur."""
    parts = ("train", "dev_seen", "dev_unseen", "test_seen", "test_unseen")
    for start, part in enumerate(parts, start=1):
        lines = []
        for number in range(1000 * start, 1000 * start + num):
            draw(folder / "img" / f"{number:05d}.png", number)
            record = {
                "id": number,
                "img": f"img/{number:05d}.png",
                "label": number % 2,
                "text": f'when you see "{_color(number)}"',
            }
            lines.append(json.dumps(record) + "\n")
        (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")


def make_imagenet(folder: Path, num: int = 6) -> None:
    """Folders of three classes, `num` pictures of each in both parts."""
    for place, name in enumerate(CLASSES):
        for number in range(num):
            draw(folder / "train" / name / f"{name}_{number}.JPEG", place)
            file = f"ILSVRC2012_val_{1 + place + number * len(CLASSES):08d}.JPEG"
            draw(folder / "val" / name / file, place)


IMAGE_FOLDERS: dict[str, Callable[..., None]] = {
    "coco": make_coco,
    "flickr30k": make_flickr30k,
    "vqav2": make_vqav2,
    "okvqa": make_okvqa,
    "vizwiz": make_vizwiz,
    "textvqa": make_textvqa,
    "visdial": make_visdial,
    "hateful-memes": make_hateful_memes,
    "imagenet": make_imagenet,
}
"""By name of a benchmark what fills an empty folder: the folder, and how many items per part."""


def draw(path: Path, number: int) -> None:
    """A square of a color that follows from the number, on a ground of a gray that does too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((48, 48, 3), 255 - number % 50, np.uint8)
    pixels[12:36, 12:36] = COLORS[_color(number)]
    Image.fromarray(pixels).save(path)


def _color(number: int) -> str:
    return list(COLORS)[number % len(COLORS)]


def _answers(number: int) -> list[str]:
    """Ten answers: mostly the color, once another one."""
    return [_color(number)] * 4 + [_color(number + 1)] + [_color(number)] * 5


def _sentences(number: int, imgid: int) -> list[dict[str, Any]]:
    color = _color(number)
    raws = [
        f"A {color} square on a white ground.",
        f"a square that is {color}",
        f"The square is {color}. ",
        f"There is one {color} square",
        f"a picture of something {color}",
    ]
    return [
        {"raw": raw, "tokens": raw.lower().strip(" .").split(), "imgid": imgid, "sentid": place}
        for place, raw in enumerate(raws)
    ]


def _questions(folder: Path, part: str, start: int, num: int) -> list[dict[str, Any]]:
    """Two questions about each picture."""
    asked = []
    for number in range(num):
        image_id = start + number // 2
        draw(folder / part / f"COCO_{part}_{image_id:012d}.jpg", image_id)
        question = "What color is the square?" if number % 2 else "Which color has it?"
        asked.append(
            {"image_id": image_id, "question": question, "question_id": image_id * 1000 + number}
        )
    return asked


def _vqa_part(
    folder: Path, part: str, start: int, num: int, *, prefix: str, stem: Callable[[str], str]
) -> None:
    asked = _questions(folder, part, start, num)
    annotations = [
        {
            "question_id": one["question_id"],
            "image_id": one["image_id"],
            "question_type": "what color",
            "answer_type": "other",
            "answers": [
                {
                    "answer": stem(answer),
                    **({} if prefix else {"raw_answer": answer}),
                    "answer_confidence": "yes",
                    "answer_id": place,
                }
                for place, answer in enumerate(_answers(one["image_id"]), start=1)
            ],
        }
        for one in asked
    ]
    _write(folder / f"{prefix}OpenEnded_mscoco_{part}_questions.json", {"questions": asked})
    _write(folder / f"{prefix}mscoco_{part}_annotations.json", {"annotations": annotations})


def _dialog(image_id: int, num_rounds: int, *, options: bool) -> dict[str, Any]:
    rounds = []
    for number in range(num_rounds):
        answer = (image_id + number) % 8
        one: dict[str, Any] = {"question": number % 4, "answer": answer}
        if options:
            order = [(answer + place) % 120 for place in range(100)]
            one |= {"answer_options": order, "gt_index": 0}
        rounds.append(one)
    return {"image_id": image_id, "caption": f"a {_color(image_id)} square", "dialog": rounds}


def _visdial(
    part: str, questions: list[str], answers: list[str], dialogs: list[dict[str, Any]]
) -> dict[str, Any]:
    data = {"questions": questions, "answers": answers, "dialogs": dialogs}
    return {"split": f"{part}2018", "version": "1.0", "data": data}


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
