"""Tiny folders in the official layouts of the video benchmarks, with clips drawn here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

COLORS = ("red", "green", "blue", "gray", "white", "yellow")
DIRECTIONS = ("left", "right", "up", "down")
SECONDS = 4
"""Length of each clip."""
PARTS = ("train", "val", "test")


def make_msvdqa(folder: Path, num: int = 6) -> None:
    """Clips named as MSVDQA names them, and those of the test as MSVD does."""
    mapping = []
    for part, start in zip(PARTS, (1, 1201, 1301), strict=True):
        for number in range(start, start + num):
            mapping.append(f"-4wsuPCjDBc_{number}_{number + 9} vid{number}")
            name = mapping[-1].split()[0] if part == "test" else f"vid{number}"
            put_clip(folder / ("YouTubeClips" if part == "test" else "video") / f"{name}.avi")
        write_json(folder / f"{part}_qa.json", _question_list(start, num))
    (folder / "youtube_mapping.txt").write_text("\n".join(mapping) + "\n")


def make_msrvttqa(folder: Path, num: int = 6) -> None:
    """Clips in the two folders of MSR-VTT."""
    for part, start in zip(PARTS, (0, 6513, 7010), strict=True):
        for number in range(start, start + num):
            clips = "TestVideo" if part == "test" else "TrainValVideo"
            put_clip(folder / clips / f"video{number}.mp4")
        questions = [{**record, "category_id": 11} for record in _question_list(start, num)]
        write_json(folder / f"{part}_qa.json", questions)


def make_vatex(folder: Path, num: int = 6) -> None:
    """Clips with captions in English, and in Chinese where the official file has them."""
    names = ("training_v1.0", "validation_v1.0", "public_test_english_v1.1")
    for part, name in zip(PARTS, names, strict=True):
        records: list[dict[str, Any]] = []
        for number in range(num):
            record = {"videoID": f"{part:_<11}_{number:06d}_{number + 10:06d}"}
            record["enCap"] = [f"{_sentence(number)} for the {n} time." for n in range(10)]
            if part != "test":
                record["chCap"] = ["一个方块在移动。"] * 10
            put_clip(folder / "videos" / f"{record['videoID']}.mp4")
            records.append(record)
        write_json(folder / f"vatex_{name}.json", records)


def make_ivqa(folder: Path, num: int = 6) -> None:
    """Whole videos, and questions about a stretch of each."""
    for part in PARTS:
        rows = []
        for number in range(num):
            name = f"{part:-<8}{number:03d}"
            put_clip(folder / "video" / f"{name}.mp4")
            color, other = _color(number), _color(number + 1)
            answers = [color, color, other, color, f"{color} square"]
            row = {"video_id": name, "start": 1, "end": 3, "question": "What moves, and how?"}
            row |= {f"answer{place}": answer for place, answer in enumerate(answers, start=1)}
            rows.append(row)
        write_csv(folder / f"{part}.csv", rows)


def make_youcook2(folder: Path, num: int = 6) -> None:
    """Videos of two steps each, one step more than `num` if that is odd."""
    database = {}
    for subset, recipe in (("training", "101"), ("validation", "226")):
        for number in range((num + 1) // 2):
            name = f"{subset:_<10}{number}"
            put_clip(folder / "raw_videos" / subset / recipe / f"{name}.mp4")
            segments = ([0, 1], [1, SECONDS])
            database[name] = {
                "duration": float(SECONDS),
                "subset": subset,
                "recipe_type": recipe,
                "video_url": f"https://www.youtube.com/watch?v={name}",
                "annotations": [
                    {"segment": segment, "id": step, "sentence": f"cook {_sentence(number + step)}"}
                    for step, segment in enumerate(segments)
                ],
            }
    write_json(folder / "youcookii_annotations_trainval.json", {"database": database})


def make_star(folder: Path, num: int = 6) -> None:
    """Questions of the four types in turn; the test has no answers."""
    types = ("Interaction", "Sequence", "Prediction", "Feasibility")
    for part in PARTS:
        records = []
        for number in range(num):
            name = f"{part[:2].upper()}{number:03d}"
            put_clip(folder / "Charades_v1_480" / f"{name}.mp4")
            choices = [f"The {_color(number + place)} square." for place in range(4)]
            record: dict[str, Any] = {
                "question_id": f"{types[number % 4]}_T1_{number}",
                "question": "Which object was moved by the person?",
                "video_id": name,
                "start": 0.5,
                "end": 2.9,
                "choices": [
                    {"choice_id": place, "choice": choice} for place, choice in enumerate(choices)
                ],
            }
            if part != "test":
                record["answer"] = choices[number % 3]
            records.append(record)
        write_json(folder / f"STAR_{part}.json", records)


def make_nextqa(folder: Path, num: int = 6) -> None:
    """Questions of all types in turn, half of which have a second answer in the test."""
    types = ("CW", "CH", "TN", "TC", "DL", "DB", "DC", "DO", "TP")
    places = {}
    for part, start in zip(PARTS, (24000, 32000, 40000), strict=True):
        rows, second = [], {}
        for number in range(num):
            name = str(start + number)
            places[name] = f"{1000 + number % 2}/{name}"
            put_clip(folder / "NExTVideo" / f"{places[name]}.mp4")
            row = {"video": name, "frame_count": SECONDS * 4, "width": 48, "height": 48}
            row |= {"question": "what does the square do", "answer": _sentence(number)}
            rows.append({**row, "qid": number % 3, "type": types[number % len(types)]})
            if number % 2 == 0:
                second[name] = {str(number % 3): f"goes {DIRECTIONS[number % 4]}"}
        write_csv(folder / f"{part}.csv", rows)
        if part == "test":
            write_json(folder / f"add_reference_answer_{part}.json", second)
    write_json(folder / "map_vid_vidorID.json", places)


def make_rareact(folder: Path, num: int = 6) -> None:
    """Three actions in turn; the first three clips show theirs, of the others one in five does."""
    actions = (("blend", "phone"), ("wash", "egg"), ("fry", "hair"))
    rows = []
    for number in range(num):
        name = f"rareact__{number // 2:02d}"
        put_clip(folder / "videos" / f"{name}.mp4")
        verb, noun = actions[number % 3]
        times = {"start": number % 2, "end": number % 2 + 2}
        row = {"id": number, "video_id": name, **times, "class_id": number % 3}
        annotation = 1 if number < 3 else number % 5
        rows.append({**row, "verb": verb, "noun": noun, "annotation": annotation})
    write_csv(folder / "rareact.csv", rows)


def make_kinetics700(folder: Path, num: int = 6) -> None:
    """Three classes in turn, each in its folder."""
    labels = ("washing dishes", "air drumming", "playing squash or racquetball")
    for part in ("train", "val"):
        rows = []
        for number in range(num):
            label, youtube_id = labels[number % 3], f"{part:_<9}{number:02d}"
            times = {"time_start": number, "time_end": number + 10}
            rows.append({"label": label, "youtube_id": youtube_id, **times, "split": part})
            name = f"{youtube_id}_{number:06d}_{number + 10:06d}.mp4"
            put_clip(folder / part / label / name)
        write_csv(folder / "annotations" / f"{part}.csv", rows)


VIDEO_FOLDERS: dict[str, Callable[..., None]] = {
    "msvdqa": make_msvdqa,
    "vatex": make_vatex,
    "msrvttqa": make_msrvttqa,
    "ivqa": make_ivqa,
    "youcook2": make_youcook2,
    "star": make_star,
    "nextqa": make_nextqa,
    "rareact": make_rareact,
    "kinetics700": make_kinetics700,
}


def put_clip(path: Path) -> None:
    """A clip of a white square that moves to the right, in the format that the name ends in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_clip(path.suffix[1:]))


@cache
def _clip(ending: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=ending) as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 48, 48, "yuv420p"
        for position in range(4 * SECONDS):
            pixels = np.zeros((48, 48, 3), np.uint8)
            pixels[20:28, 2 * position : 2 * position + 8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def write_json(path: Path, content: object) -> None:
    """A JSON file as official ones are."""
    path.write_text(json.dumps(content))


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """A CSV file whose first row names the columns of the first of these rows."""
    listed = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)


def _question_list(start: int, num: int) -> list[dict[str, Any]]:
    return [
        {
            "answer": _color(number),
            "id": 100_000 + number,
            "question": "what color is the square that moves?",
            "video_id": number,
        }
        for number in range(start, start + num)
    ]


def _sentence(number: int) -> str:
    return f"a {_color(number)} square moves {DIRECTIONS[number % len(DIRECTIONS)]}"


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]
