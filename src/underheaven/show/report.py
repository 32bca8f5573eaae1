"""The report: one page that opens from disk, asks nobody for anything, and can be read without this program.

The page works without script: every chart stands in it as a drawing (SVG) with its table and its data.  Script
only makes the charts answer to the pointer.  It may not evaluate text (Vega's own interpreter reads the
expressions), and a content security policy allows these three pieces of code by their SHA-256, and no request
of any kind.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from underheaven.errors import StoreError, Where
from underheaven.show.charts import all_charts
from underheaven.show.describe import KINDS, channel, describe
from underheaven.show.vega import Chart
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.study.words import NOT_MEASURABLE, decimal, label, percent, whole

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from underheaven.reading import Source
    from underheaven.regime.rollout import Rules
    from underheaven.store import Run

_TEMPLATES = Path(__file__).parent / "templates"

#: What each basis of a number means.
BASES = {
    "text": "stands in the text of the source",
    "table": "stands in a table of the source",
    "figure": "read off a figure of the source",
    "recalled": "from memory of a source that was not looked up; to be checked",
    "assumed": "assumed; a source, where one is named, is only what the assumption starts from",
}

_ONE = {
    "people": "person",
    "days": "day",
    "times": "time",
    "minutes": "minute",
    "firms": "firm",
    "reports": "report",
}


def write_report(run: Run) -> Path:
    """Write report.html, findings.json and data/*.csv into the folder of a run.

    Parameters
    ----------
    run : Run, complete

    Returns
    -------
    Path of report.html

    Raises
    ------
    errors.StoreError : UH703 a part of the run is damaged, UH705 the disk refused
    """
    counts, found = Counts(run), audit(run)
    charts = all_charts(run, counts)
    page = render(run, found, charts)
    findings = json.dumps(found, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    folder = Path(run.folder)
    try:
        for chart in charts:
            (folder / "data").mkdir(exist_ok=True)
            _put(folder / "data" / f"{chart.name}.csv", chart.as_csv())
        _put(folder / "findings.json", findings)
        return _put(folder / "report.html", page)
    except OSError as error:
        raise StoreError.of(
            "UH705", f"cannot write the report: {error.strerror or error}; the run itself is safe", Where(str(folder))
        ) from error


def _put(path: Path, text: str) -> Path:
    """Write a file beside its place and rename it in."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="")
    os.replace(new, path)
    return path


def render(run: Run, found: Mapping[str, Any], charts: Sequence[Chart]) -> str:
    """Return the page.

    Parameters
    ----------
    run : Run
    found : what :func:`underheaven.study.audit.audit` returned
    charts : the charts to show
    """
    import vl_convert
    from markupsafe import Markup

    environment = _environment()
    environment.filters["channel"] = channel
    bundle = _bundle() if charts else ""
    script = _closed((_TEMPLATES / "report.js").read_text(encoding="utf-8")) if charts else ""
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    manifest = run.manifest
    return environment.get_template("report.html.j2").render(
        policy=_policy([bundle, script] if charts else [], style),
        bundle=Markup(bundle),
        script=Markup(script),
        style=Markup(style),
        manifest=manifest,
        regime=run.regime,
        world=run.world,
        kind_line=KINDS[manifest["regime"]["kind"]],
        about=describe(run.regime),
        found=found,
        findings=[_shown(finding) for finding in found["findings"]],
        charts=[_figure(chart, vl_convert) for chart in charts],
        strata=_strata_tables(found),
        cited=[row for model in _parts(run.regime) for row in _cited(model)],
        cited_world=_cited(run.world),
        bibliography=_bibliography([*_parts(run.regime), run.world]),
        bases=BASES,
        command=_command(manifest),
        versions=", ".join(f"{name} {version}" for name, version in sorted(manifest.get("versions", {}).items())),
    )


@cache
def _environment() -> Environment:
    """Return the templates of all pages: everything escaped, nothing undefined, numbers and names in words."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"whole": whole, "percent": percent, "decimal": decimal, "label": label}
    return environment


def _bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, out of the wheel that draws the charts."""
    import vl_convert

    return _closed(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


# Safety ---------------------------------------------------------------------------------------------------------------


def _closed(script: str) -> str:
    """Return a script in which nothing ends the element that it stands in."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _policy(scripts: Iterable[str], style: str) -> str:
    """Return the content security policy: these scripts, this style, pictures within the page, nothing else."""

    def allowed(texts: Iterable[str]) -> str:
        digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

    return (
        f"default-src 'none'; script-src {allowed(scripts)}; style-src {allowed([style])}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _figure(chart: Chart, vl_convert: Any) -> dict[str, Any]:
    """Return what the page needs of a chart: drawing, specification, table and its data as a link."""
    return {
        "name": chart.name,
        "title": chart.title,
        "how_to_read": chart.how_to_read,
        "svg": _inline(vl_convert.vegalite_to_svg(chart.spec, allowed_base_urls=[]), chart),
        "spec": chart.spec,
        "columns": chart.columns,
        "rows": chart.rows,
        "numeric": [_is_numeric([row[i] for row in chart.rows]) for i in range(len(chart.columns))],
        "csv": "data:text/csv;charset=utf-8;base64," + base64.b64encode(("\ufeff" + chart.as_csv()).encode()).decode(),
    }


def _is_numeric(cells: Sequence[str]) -> bool:
    """Tell whether a column of a table is to stand flush right."""
    return all(not cell or cell[0].isdigit() or cell == NOT_MEASURABLE or cell.startswith("almost") for cell in cells)


def _inline(svg: str, chart: Chart) -> Markup:
    """Return a drawing for the page: names of its parts made unique, its size left to the page, and its words."""
    from markupsafe import Markup

    svg = re.sub(r'\bid="', f'id="{chart.name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{chart.name}-", svg)
    svg = re.sub(r'href="#', f'href="#{chart.name}-', svg)
    named = Markup('<svg role="img" aria-label="{}" ').format(chart.title)
    return Markup(svg.replace("<svg ", named, 1))


# What the page says ---------------------------------------------------------------------------------------------------


def _shown(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding with its figure as people write it."""
    value, unit = finding["value"], finding["unit"]
    if value is None:
        big, small = NOT_MEASURABLE, ""
    elif unit == "share":
        big, small = percent(value), ""
    elif isinstance(value, int):
        big, small = whole(value), _ONE[unit] if value == 1 else unit
    else:
        big, small = decimal(value), unit
    return {**finding, "big": big, "small": small}


def _strata_tables(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    titles = {"group": "By group", "income": "By income tenth (1 is the poorest)", "age": "By age", "sex": "By sex"}
    return [
        {
            "trait": trait,
            "title": title,
            "rows": [{**row, "level": label(str(row[trait]))} for row in found["strata"][trait]],
            "fairness": found["fairness"][trait],
        }
        for trait, title in titles.items()
    ]


def _parts(rules: Rules) -> Sequence[Rules]:
    """Return the files that a roll-out rests on, itself first; of a regime the regime."""
    from underheaven.regime.rollout import Rollout

    if not isinstance(rules, Rollout):
        return (rules,)
    return (rules.model_copy(update={"regimes": ()}), *rules.regimes)


def _cited(model: Any) -> list[dict[str, Any]]:
    """Return every number of a file with its source, in the order of the file.

    Neighbours with the same source, basis and note are one citation: `span` is the number of rows that it
    stands for, 0 in all but the first of them.
    """
    from underheaven.reading import cited

    sources: Mapping[str, Source] = getattr(model, "sources", {})
    rows: list[dict[str, Any]] = []
    first: dict[str, Any] = {}
    for number in cited(model):
        row = {
            "path": number.path.split("."),
            "text": whole(int(number.text)) if re.fullmatch(r"\d{5,}", number.text) else number.text,
            "per": number.per,
            "basis": number.basis,
            "note": number.note,
            "source": sources.get(number.source or ""),
            "key": number.source,
            "span": 1,
        }
        if first and all(first[key] == row[key] for key in ("basis", "note", "key")):
            first["span"] += 1
            row["span"] = 0
        else:
            first = row
        rows.append(row)
    return rows


def _bibliography(models: Iterable[Any]) -> dict[str, Source]:
    """Return the sources of both files that a number cites, by key."""
    from underheaven.reading import cited

    found: dict[str, Source] = {}
    for model in models:
        used = {number.source for number in cited(model)}
        found |= {key: source for key, source in getattr(model, "sources", {}).items() if key in used}
    return found


def _command(manifest: Mapping[str, Any]) -> str:
    """Return the command that repeats the run."""
    asked = manifest.get("asked", {})
    names = {key: shlex.quote(str(asked.get(key) or manifest[key]["name"])) for key in ("regime", "world")}
    changes = "".join(f" --set {shlex.quote(change)}" for change in asked.get("set", ()))
    if "from" in asked:
        begin = f" --from {shlex.quote(asked['from'])} --days {manifest['days']}{changes}"
        return f"underheaven run {names['regime']}{begin}"
    return (
        f"underheaven run {names['regime']} --world {names['world']} --people {manifest['people']} "
        f"--days {manifest['days']} --seed {manifest['seed']}{changes}"
    )
