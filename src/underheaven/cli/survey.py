"""`underheaven survey`: ask some people of a stored run."""

from __future__ import annotations

import json as _json
import sys
from pathlib import Path

import underheaven
from underheaven.cli.pages import _console, _grid


def survey(run: Path, respondents: int, wave: int, html: Path | None, *, told: bool, json: bool) -> None:
    """Ask, and print what came out."""
    from underheaven.engine.poll import survey as ask
    from underheaven.show import survey as words

    stored = underheaven.open_run(run.expanduser())
    is_live = sys.stderr.isatty() and not json

    def progress(done: int, of: int) -> None:
        if is_live and (done == of or done % 10 == 0):
            print(f"\r{done:,} of {of:,} places", end="\n" if done == of else "", file=sys.stderr, flush=True)

    found = ask(stored, respondents, told=told, wave=wave, progress=progress)
    if json:
        print(_json.dumps(words.as_json(stored, found), ensure_ascii=False, allow_nan=False))
    if html is not None:
        path = words.write_page(html.expanduser(), stored, found)
        if not json:
            print(path)
        return
    if json:
        return
    console = _console()
    manifest = stored.manifest
    names = [manifest[key]["name"] for key in ("regime", "world")]
    console.print(f"{' in '.join(names)}, after {manifest['days']} days", style="bold")
    for text in words.sentences(found):
        console.print(text)
    console.print()
    heads = ("who approve", "share", "s.e. (points)", "95% interval")
    console.print(_grid(words.as_table(found), right=(1, 2, 3), heads=heads))
    console.print()
    console.print(_grid(words.standings(found), right=(1, 2, 3), heads=("standing", "asked", "say yes", "think yes")))
