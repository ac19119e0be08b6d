"""`flamingo report DIR`: the pictures of an evaluation, and one page with all of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import Loading
from flamingo.evaluation.benchmarks.paper_scores import MODELS
from flamingo.evaluation.benchmarks.published_scores import PUBLISHED_MODELS

if TYPE_CHECKING:
    from flamingo.evaluation.folder import Evaluation
    from flamingo.inference.predictor import Predictor
    from flamingo.miniature.evaluation_page import Chart
    from flamingo.miniature.replies import TaskReplies
    from flamingo.miniature.sheets import SheetRow
    from flamingo.miniature.tasks import FewShotTask

CURVES, MEANS, GATES = "curves.png", "means.png", "gates.png"
ATTENTION, WORLD, PAGE = "attention.png", "world.png", "report.html"
BROWSER, PAPER, BIAS, BEYOND = "predictions.html", "paper.md", "bias.md", "beyond.md"
_FILES = (CURVES, MEANS, GATES, ATTENTION, WORLD, BROWSER, PAPER, BIAS, BEYOND)
_ATTENTION_COLUMNS, _ATTENTION_ROWS = 4, 10


def add_parser(subparsers: Any) -> None:
    """Adds the verb `report` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="draw an evaluation, or compare several",
        description="Draws what `flamingo evaluate` wrote into a folder: curves.png and means.png "
        "(scores against shots), gates.png, attention.png, world.png (samples of each task), "
        "predictions.html (all answers with what was asked, worst first), paper.md (benchmarks "
        "beside the paper's scores), and report.html, one page with the rest. Of several folders: "
        "comparison.md, a table like the paper's Table 1 with what is decided between each two "
        "models, and comparison.png.",
    )
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR", help="of `flamingo evaluate`"
    )
    parser.add_argument(
        "--run",
        type=Path,
        # `run` is what every verb calls its function.
        dest="run_folder",
        metavar="RUN",
        help="folder of the model's training: the gates are then drawn over time",
    )
    parser.add_argument("--model", help="where it is, if not where the evaluation found it")
    parser.add_argument(
        "--paper-model",
        choices=(*MODELS, *PUBLISHED_MODELS),
        metavar="NAME",
        default="3B",
        help="whose printed scores stand beside ours: 3B, 9B or 80B of the paper, or a released "
        "model, as OpenFlamingo-9B or IDEFICS-80B-instruct (default 3B)",
    )
    parser.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="CSV or JSON lines with the columns id and, for instance, gender: the scores of the "
        "groups are compared by a t-test, in bias.md",
    )
    parser.add_argument(
        "--trained-shots",
        type=int,
        metavar="N",
        help="most examples that fit a sequence of the model's training: beyond.md tells where "
        "more of them do harm",
    )
    parser.add_argument(
        "--browse",
        type=int,
        default=200,
        metavar="N",
        help="queries per task in predictions.html, those with the worst answers (default 200)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR2", help="for the files (default: the first DIR)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the pictures and the page, and says where they are.

    Raises:
        FlamingoError: there is no evaluation, run or model, or matplotlib is missing.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.cli.report_answers import Answering, write_beside_the_paper
    from flamingo.evaluation.beyond import beyond_markdown
    from flamingo.evaluation.folder import read_evaluation
    from flamingo.evaluation.plots import plot_curves, plot_means
    from flamingo.evaluation.report import protocol_heading
    from flamingo.evaluation.table import table_notes, table_rows
    from flamingo.foundation.records import write_text_atomically
    from flamingo.miniature.evaluation_page import EvaluationPage, evaluation_page
    from flamingo.miniature.sheets import draw_sheet

    out: Path = args.out or args.folders[0]
    if len(args.folders) > 1:
        from flamingo.cli.report_comparison import compare

        for path in compare(args.folders, out, args.paper_model):
            print(path)
        return 0
    evaluation = read_evaluation(args.folders[0], may_lack_scores=True)
    out.mkdir(parents=True, exist_ok=True)
    for name in (*_FILES, PAGE):
        # Not always made: one of an earlier report would pass for one of this.
        (out / name).unlink(missing_ok=True)
    rows, undrawable = _world()
    drawn = _drawn_tasks(evaluation, undrawable)
    answering = Answering(evaluation, args.browse)
    if not evaluation.cells:
        lost = answering.browse(drawn, out / BROWSER)
        why = "no task is complete, or the right answers are hidden."
        return _told([f"There are only the answers, as there is no score yet: {why}", *lost], out)
    plot_curves(evaluation.cells, out / CURVES)
    if any(cell.above_chance is not None for cell in evaluation.cells):
        plot_means(evaluation.cells, out / MEANS)
    loading = Loading(**evaluation.summary.get("loading", {"dtype": "steady"}))
    predictor = loading(args.model or evaluation.model)
    _draw_gates(predictor, args.run_folder, out / GATES)
    world = rows if drawn else []
    answered = answering.replies(drawn)
    if world:
        draw_sheet(world, out / WORLD)
    page = EvaluationPage(
        title=f"Few-shot evaluation of {evaluation.model}",
        charts=_charts(out, is_run=args.run_folder is not None),
        table=table_rows(evaluation.cells),
        notes=[
            *filter(None, [protocol_heading(evaluation.summary)]),
            *table_notes(evaluation.cells),
        ],
        attention=_attention(predictor, answered, out / ATTENTION),
        answered=answered,
        world=world,
        facts=_facts(evaluation.summary, args.run_folder),
        warnings=_warnings(evaluation, drawn, undrawable, predictor),
    )
    write_text_atomically(out / PAGE, evaluation_page(page))
    lost = answering.browse(drawn, out / BROWSER)
    write_beside_the_paper(evaluation, args.paper_model, out / PAPER)
    if args.trained_shots is not None:
        table = beyond_markdown(evaluation.cells, args.trained_shots)
        write_text_atomically(out / BEYOND, table)
    if args.groups is not None:
        write_text_atomically(out / BIAS, answering.bias_by_group(args.groups))
    return _told([*page.warnings, *lost], out)


def _told(notes: list[str], out: Path) -> int:
    """Says what a reader must know, and where everything is."""
    for note in notes:
        print(f"Note: {note}")
    for name in (*_FILES, PAGE):
        if (out / name).exists():
            print(out / name)
    return 0


def _draw_gates(predictor: Predictor, run_folder: Path | None, target: Path) -> None:
    from flamingo.training.gates import gate_openings
    from flamingo.training.plots import plot_final_gates, plot_gates
    from flamingo.training.trainer import LOG

    if run_folder is None:
        plot_final_gates(gate_openings(predictor.model), target)
    else:
        plot_gates(run_folder / LOG, target)


def _drawn_tasks(evaluation: Evaluation, undrawable: Mapping[str, str]) -> dict[str, FewShotTask]:
    """The miniature's tasks among those of the evaluation that still draw the same episodes."""
    from flamingo.evaluation.identity import task_fingerprints
    from flamingo.miniature.tasks import TASKS

    # Also of those that have no score yet.
    names = [name for name in evaluation.episodes if name in TASKS and name not in undrawable]
    known = {name: TASKS[name] for name in names}
    now = task_fingerprints(known, evaluation.seed)
    then = evaluation.episodes
    return {name: task for name, task in known.items() if now[name] == then.get(name)}


def _attention(predictor: Predictor, answered: list[TaskReplies], target: Path) -> list[SheetRow]:
    from flamingo.inference.attention_maps import has_attention_maps
    from flamingo.miniature.replies import attention_rows
    from flamingo.miniature.sheets import draw_sheet

    rows = attention_rows(predictor, answered) if has_attention_maps(predictor.model.config) else []
    if rows:
        # The page has all of them; the picture some from beginning to end, or it would be a ribbon.
        step = -(-len(rows) // _ATTENTION_ROWS)
        draw_sheet(rows[::step], target, columns=_ATTENTION_COLUMNS)
    return rows


def _world() -> tuple[list[SheetRow], dict[str, str]]:
    """All of the world, whichever of its tasks were evaluated, and why some cannot be drawn."""
    from flamingo.foundation.errors import DataError
    from flamingo.miniature.samples import world_rows
    from flamingo.miniature.tasks import TASKS

    rows: list[SheetRow] = []
    undrawable: dict[str, str] = {}
    for name, task in TASKS.items():
        try:
            rows += world_rows([task], seed=0)
        except DataError as error:
            undrawable[name] = str(error)
    return rows, undrawable


def _charts(out: Path, *, is_run: bool) -> list[Chart]:
    from flamingo.miniature.evaluation_page import Chart

    gates = "over training" if is_run else "after training"
    means = Chart(
        "Means",
        "The mean over tasks of what was scored above chance: 0 is a guess, 100 all right.",
        "Mean above chance against shots, of development and of held-out tasks; the values "
        "stand in the last rows of the table.",
        (out / MEANS).read_bytes() if (out / MEANS).exists() else b"",
    )
    charts = [
        means,
        Chart(
            "Every task",
            "Scores against the number of examples in the prompt. The band is the 95 % interval, "
            "the dashed line is chance. Red: held out. Blue: development.",
            "Scores against shots for each task; the table below has all values.",
            (out / CURVES).read_bytes(),
        ),
        Chart(
            f"The gates {gates}",
            "|tanh α| of each gated layer. At 0 a gate is closed and its layer does nothing; "
            "training begins there.",
            f"The opening of the two gates of every gated layer {gates}.",
            (out / GATES).read_bytes(),
        ),
    ]
    return [chart for chart in charts if chart.png]


def _facts(summary: Mapping[str, Any], run_folder: Path | None) -> dict[str, str]:
    """How the evaluation was made, in words."""
    facts = {} if run_folder is None else {"gates over training": str(run_folder)}
    for name, value in summary.items():
        if isinstance(value, Mapping):
            facts[name] = ", ".join(f"{key} {item}" for key, item in value.items())
        elif name not in ("means_above_chance", "worse_with_more_shots", "sources", "limits"):
            is_list = isinstance(value, list)
            between = "; " if name == "command" else ", "
            facts[name.replace("_", " ")] = between.join(map(str, value)) if is_list else str(value)
    return facts


def _warnings(
    evaluation: Evaluation,
    drawn: Mapping[str, FewShotTask],
    undrawable: Mapping[str, str],
    predictor: Predictor,
) -> list[str]:
    from flamingo.model.weights_identity import weights_sha256

    warnings = []
    for reason in dict.fromkeys(undrawable.values()):
        names = ", ".join(name for name, why in undrawable.items() if why == reason)
        warnings.append(f"Without pictures: {names}, as {reason}")
    of_files = {name for name, source in evaluation.sources.items() if "settings" in source}
    known = {*drawn, *undrawable, *of_files}
    if lost := [name for name in evaluation.tasks if name not in known]:
        warnings.append(
            f"Without pictures, as no task draws the same ones any more: {', '.join(lost)}."
        )
    if weights_sha256(predictor.model) != evaluation.model_sha256:
        warnings.append(
            "Gates and attention are of weights that are not those that were evaluated: another "
            "model, or the same one in another number format."
        )
    return warnings
