"""`flamingo convert SOURCE TARGET`: a released OpenFlamingo or IDEFICS, as a folder of ours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds the verb `convert` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "convert",
        help="make a folder of ours out of a released OpenFlamingo or IDEFICS",
        description="Reads a released checkpoint tensor by tensor and writes it as a model of "
        "ours, with its processor. Not needed to use one (every verb takes its name), but a "
        "converted model is one folder, of any number format, and needs no network. Converting "
        "again after it broke off goes on where it was.",
    )
    parser.add_argument("source", metavar="SOURCE", help="a folder, or a name on a hub")
    parser.add_argument("target", metavar="TARGET", type=Path, help="a folder that is not there")
    parser.add_argument(
        "--language-model",
        metavar="SOURCE",
        help="of an OpenFlamingo: its language model, a folder or a hub name (default: the one "
        "that was released with it)",
    )
    parser.add_argument(
        "--vision-encoder", metavar="SOURCE", help="of an OpenFlamingo: its vision encoder"
    )
    parser.add_argument(
        "--tokenizer",
        metavar="SOURCE",
        help="of an OpenFlamingo: its tokenizer (default: that of the language model)",
    )
    parser.add_argument(
        "--dtype",
        choices=("as-is", "fp32", "bf16", "fp16"),
        default="as-is",
        help="number format of the weights (default: that of the files)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Converts, with a bar that counts bytes.

    Raises:
        FlamingoError: the source cannot be read, or the target not be written.
    """
    from tqdm import tqdm

    from flamingo.foundation.devices import DTYPES
    from flamingo.inference.conversion import convert

    with tqdm(unit="B", unit_scale=True, desc="converting", leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        convert(
            args.source,
            args.target,
            language_model=args.language_model,
            vision_encoder=args.vision_encoder,
            tokenizer=args.tokenizer,
            dtype=None if args.dtype == "as-is" else DTYPES[args.dtype],
            progress=progress,
        )
    size = sum(path.stat().st_size for path in args.target.glob("*.safetensors"))
    print(f"{args.target}: {size / 1e9:.2f} GB of weights, and its processor.")
    print(f'Try it: flamingo prompt --model "{args.target}" --query PICTURE')
    return 0
