"""The paper's benchmarks that ask about videos."""

from __future__ import annotations

from flamingo import prompting
from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.paper_scores import paper_scores
from flamingo.evaluation.benchmarks.readers.ivqa import read_ivqa
from flamingo.evaluation.benchmarks.readers.kinetics import read_kinetics
from flamingo.evaluation.benchmarks.readers.nextqa import read_nextqa
from flamingo.evaluation.benchmarks.readers.question_list import read_msrvttqa, read_msvdqa
from flamingo.evaluation.benchmarks.readers.rareact import read_rareact
from flamingo.evaluation.benchmarks.readers.star import read_star
from flamingo.evaluation.benchmarks.readers.vatex import read_vatex
from flamingo.evaluation.benchmarks.readers.youcook2 import read_youcook2

_ANSWER_TOKENS = 10
"""The paper does not say how long an answer may be; those of these sets are a few words."""
_CAPTION_TOKENS = 40
"""VATEX's captions are longer than most: many have more words than the usual 20 tokens hold."""
_YOUTUBE = "videos are of YouTube and belong to those who made them"

MSVDQA = Benchmark(
    name="msvdqa",
    title="MSVDQA",
    is_held_out=False,
    template=prompting.QUESTION_ANSWER,
    metric="accuracy",
    read=read_msvdqa,
    query_parts=("test", "val"),
    support_part="train",
    paper_part="test",
    num_items={"train": 30_933, "val": 6_415, "test": 13_157},
    layout=(
        ("{train,val,test}_qa.json", "questions and answers"),
        ("video/vid<N>.avi", "the clips; or YouTubeClips/ with the names that MSVD gave them"),
        ("youtube_mapping.txt", "which name is which number, for clips with MSVD's names"),
    ),
    source="https://github.com/xudejing/video-question-answering (questions); "
    "https://www.cs.utexas.edu/users/ml/clamp/videoDescription (clips)",
    license=f"Terms of the questions not checked; {_YOUTUBE}.",
    max_new_tokens=_ANSWER_TOKENS,
    is_video=True,
    paper=paper_scores(
        (27.5, 33.0, 37.0, 40.2, 42.6),
        (30.2, 36.2, 40.8, 44.5, 47.2),
        (35.6, 41.7, 45.5, 48.4, 52.3),
    ),
)

VATEX = Benchmark(
    name="vatex",
    title="VATEX",
    is_held_out=False,
    template=prompting.CAPTION,
    metric="cider",
    read=read_vatex,
    query_parts=("test", "val"),
    support_part="train",
    paper_part="test",
    num_items={"train": 25_991, "val": 3_000, "test": 6_000},
    layout=(
        ("vatex_{training,validation}_v1.0.json", "captions in English and Chinese"),
        ("vatex_public_test_english_v1.1.json", "English captions of the public test"),
        ("videos/<videoID>.mp4", "the clips, cut to the ten seconds that are told"),
    ),
    source="https://eric-xw.github.io/vatex-website",
    license=f"Captions CC BY 4.0 as far as is known here; {_YOUTUBE}.",
    max_new_tokens=_CAPTION_TOKENS,
    is_video=True,
    paper=paper_scores(
        (40.1, 50.0, 54.5, 57.1, 59.2),
        (39.5, 51.7, 55.2, 58.5, 57.4),
        (46.7, 56.0, 60.6, 62.8, 65.1),
    ),
)

MSRVTTQA = Benchmark(
    name="msrvttqa",
    title="MSRVTTQA",
    is_held_out=True,
    template=prompting.QUESTION_ANSWER,
    metric="accuracy",
    read=read_msrvttqa,
    query_parts=("test", "val"),
    support_part="train",
    paper_part="test",
    num_items={"train": 158_581, "val": 12_278, "test": 72_821},
    layout=(
        ("{train,val,test}_qa.json", "questions and answers"),
        ("video/video<N>.mp4", "the clips of MSR-VTT; or TrainValVideo/ and TestVideo/"),
    ),
    source="https://github.com/xudejing/video-question-answering (questions); "
    "http://ms-multimedia-challenge.com/2016/dataset (clips)",
    license=f"Terms of the questions not checked; {_YOUTUBE}.",
    max_new_tokens=_ANSWER_TOKENS,
    is_video=True,
    paper=paper_scores(
        (11.0, 14.9, 19.6, 23.4, 25.6),
        (13.7, 18.2, 23.9, 27.6, 29.4),
        (17.4, 23.9, 27.6, 30.0, 31.0),
    ),
)

IVQA = Benchmark(
    name="ivqa",
    title="iVQA",
    is_held_out=True,
    template=prompting.QUESTION_ANSWER,
    metric="ivqa-accuracy",
    read=read_ivqa,
    query_parts=("test", "val"),
    support_part="train",
    paper_part="test",
    num_items={"train": 6_000, "val": 2_000, "test": 2_000},
    layout=(
        ("{train,val,test}.csv", "questions, each with five answers and the times of its clip"),
        ("video/<video_id>.mp4", "whole videos of HowTo100M"),
    ),
    source="https://github.com/antoyang/just-ask",
    license=f"Terms of the questions not checked; {_YOUTUBE}.",
    max_new_tokens=_ANSWER_TOKENS,
    is_video=True,
    paper=paper_scores(
        (32.7, 35.7, 36.8, 37.4, 37.7),
        (35.2, 37.7, 40.0, 41.5, 40.7),
        (40.7, 44.1, 44.8, 45.2, 45.3),
    ),
)

YOUCOOK2 = Benchmark(
    name="youcook2",
    title="YouCook2",
    is_held_out=True,
    template=prompting.CAPTION,
    metric="cider",
    read=read_youcook2,
    query_parts=("val",),
    support_part="train",
    paper_part="val",
    num_items={"val": 3_492},
    layout=(
        ("youcookii_annotations_trainval.json", "the steps of all recipes with their times"),
        ("raw_videos/{training,validation}/<recipe>/<id>.mp4", "whole videos; or videos/<id>.mp4"),
    ),
    source="http://youcook2.eecs.umich.edu",
    license=f"Terms of the annotations not checked; {_YOUTUBE}.",
    is_video=True,
    paper=paper_scores(
        (55.8, 64.6, 68.0, 73.2, 76.7),
        (55.0, 70.8, 75.0, 77.2, 77.3),
        (60.1, 74.5, 80.7, 84.2, 86.8),
    ),
)

STAR = Benchmark(
    name="star",
    title="STAR",
    is_held_out=True,
    template=prompting.QUESTION_ANSWER,
    metric="multiple-choice-by-type",
    read=read_star,
    query_parts=("val", "test"),
    support_part="train",
    paper_part="test",
    num_items={"train": 45_731, "val": 7_098, "test": 7_377},
    layout=(
        ("STAR_{train,val,test}.json", "questions with choices and times; test has no answers"),
        ("Charades_v1_480/<video_id>.mp4", "the videos of Charades, scaled to 480 lines"),
    ),
    source="https://github.com/csbobby/STAR_Benchmark (questions); "
    "https://prior.allenai.org/projects/charades (videos)",
    license="Charades is for use that is not commercial; terms of the questions not checked.",
    max_new_tokens=0,
    is_video=True,
    paper=paper_scores(
        (39.6, 41.3, 40.6, 40.1, 41.6),
        (41.8, 42.8, 43.4, 42.4, 41.2),
        (39.7, 42.4, 42.3, 41.1, 42.2),
    ),
)

NEXTQA = Benchmark(
    name="nextqa",
    title="NextQA",
    is_held_out=True,
    template=prompting.QUESTION_ANSWER,
    metric="wups",
    read=read_nextqa,
    query_parts=("test", "val"),
    support_part="train",
    paper_part="test",
    num_items={"train": 37_523, "val": 5_343, "test": 9_178},
    layout=(
        ("{train,val,test}.csv", "questions and open-ended answers, of NExT-OE"),
        ("add_reference_answer_test.json", "second answers for test; without it scores are lower"),
        ("map_vid_vidorID.json", "where each video is"),
        ("NExTVideo/<folder>/<id>.mp4", "the videos, which are of VidOR"),
    ),
    source="https://github.com/doc-doc/NExT-OE (questions); https://github.com/doc-doc/NExT-QA "
    "(videos and where each is)",
    license="Terms of the questions not checked; videos by the terms that their owners chose.",
    is_video=True,
    paper=paper_scores(
        (21.3, 22.4, 23.9, 25.2, 26.1),
        (23.0, 24.7, 25.8, 27.6, 28.4),
        (26.7, 30.8, 32.3, 32.9, 33.5),
    ),
)

RAREACT = Benchmark(
    name="rareact",
    title="RareAct",
    is_held_out=True,
    template=prompting.RARE_ACT,
    metric="mwap",
    read=read_rareact,
    query_parts=("test",),
    support_part="test",
    paper_part="test",
    num_items={"test": 7_607},
    layout=(
        ("rareact.csv", "clips with an action each, and whether they show it"),
        ("videos/<video_id>.mp4", "whole videos, of rareact.zip"),
    ),
    source="https://github.com/antoine77340/RareAct",
    license=f"Terms of the annotations not checked; {_YOUTUBE}.",
    max_new_tokens=0,
    is_video=True,
    num_support=0,
    num_validation=0,
    max_shots=0,
    paper=paper_scores((58.4,), (57.9,), (60.8,)),
)

KINETICS700 = Benchmark(
    name="kinetics700",
    title="Kinetics-700-2020",
    is_held_out=False,
    template=prompting.CAPTION,
    metric="top-1-5",
    read=read_kinetics,
    query_parts=("val",),
    support_part="train",
    paper_part="val",
    num_items={},
    layout=(
        ("annotations/{train,val}.csv", "clips with their classes"),
        ("{train,val}/<label>/<youtube_id>_<start>_<end>.mp4", "clips, with six digits a time"),
    ),
    source="https://github.com/cvdfoundation/kinetics-dataset",
    license=f"Annotations CC BY 4.0 as far as is known here; {_YOUTUBE}.",
    max_new_tokens=0,
    is_video=True,
    num_support=32,
    num_validation=10,
    per_class=True,
    max_shots=16,
    # The paper's other scores are of supports chosen by RICES: Table 7.
    paper={"80B": {16: 51.2}},
)

VIDEO_BENCHMARKS = (
    MSVDQA,
    VATEX,
    MSRVTTQA,
    IVQA,
    YOUCOOK2,
    STAR,
    NEXTQA,
    RAREACT,
    KINETICS700,
)
