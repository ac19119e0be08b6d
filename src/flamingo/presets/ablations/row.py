"""What one row of the ablation table is, and what the paper printed for it."""

from __future__ import annotations

from dataclasses import dataclass

BASELINE = "baseline"


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's table: Flamingo-3B, short training, 4 shots.

    Args:
        overall: mean over five development benchmarks of the score as a share of the state of the
            art, in percent.
        coco: captions, CIDEr.
        okvqa: questions, accuracy.
        vqav2: questions, accuracy.
        msvdqa: questions on videos, accuracy.
        vatex: captions of videos, CIDEr.

    Paper: Tables 3 and 10 (v2).
    """

    overall: float
    coco: float
    okvqa: float
    vqav2: float
    msvdqa: float
    vatex: float


@dataclass(frozen=True)
class Row:
    """One row: what is changed from the baseline, and why its learning rate is fair.

    Args:
        name: as typed in the shell, and the folder of its runs.
        mirrors: the row of the paper's table.
        description: one line.
        learning_rate: which rates its parts have, and the reason.
        settings: `section.field=value` on the third stage of the miniature.
        paper: what the paper printed; None for a control that it does not have.
        encoder: which vision encoder the row trains for itself, see `encoders.ENCODERS`; None for
            the one that all others share.
        reference: the row that its scores are compared with. The baseline, but where a row has
            more than its change against it, the control that has the rest of it too.
    """

    name: str
    mirrors: str
    description: str
    learning_rate: str
    settings: tuple[str, ...] = ()
    paper: PaperRow | None = None
    encoder: str | None = None
    reference: str = BASELINE
