"""The report: one page that asks nobody for anything, escapes every name, and reads without script."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import lives
from underheaven.show.charts import all_charts
from underheaven.show.describe import KINDS
from underheaven.show.report import render, write_report
from underheaven.show.vega import Chart
from underheaven.store import Run
from underheaven.study.audit import audit

pytestmark = pytest.mark.integration

REGIMES = ("press-2018", "rongcheng-2016", "judgment-defaulters", "none", "nosedive-2016")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Eight weeks of a small town under each regime of the catalogue."""
    folder: Path = tmp_path_factory.mktemp("report")
    return {name: lives.live(folder / name, name, world="town", people=10_000, days=56) for name in REGIMES}


@pytest.fixture(scope="module")
def pages(runs: dict[str, Run]) -> dict[str, Path]:
    """The reports of these runs."""
    return {name: write_report(run) for name, run in runs.items()}


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Open a fresh page; the plugin's own needs a fixture of pytest-base-url that pytest 9 warns of."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", REGIMES)
def test_page_is_complete(name, runs, pages):
    """Each regime gets a page with its kind line, its findings, its rules, its sources and its identity."""
    page, run = Elements(pages[name].read_text()), runs[name]
    manifest = run.manifest
    assert KINDS[manifest["regime"]["kind"]] in page.text
    for finding in audit(run)["findings"]:
        assert finding["title"] in page.text
        assert " ".join(finding["text"].split()) in page.text
    for told in (manifest["regime"]["hash"], manifest["world"]["hash"], manifest["result_hash"]):
        assert told in page.text
    assert f"underheaven run {name} --world town --people 10000 --days 56 --seed 5" in page.text
    assert pages[name].stat().st_size < 3_000_000
    anchors = {a["href"][1:] for tag, a in page.tags if tag == "a" and (a.get("href") or "").startswith("#")}
    assert anchors <= {a.get("id") for _, a in page.tags}


def test_baseline_says_that_nobody_has_a_file(pages):
    """The report of `none` has no sanction, no grade and no false entry to show, and says why."""
    page = Elements(pages["none"].read_text())
    assert "Nobody has a file" in page.text
    charts = [a["data-chart"] for tag, a in page.tags if tag == "figure"]
    assert charts == ["hospital"]
    assert "None" not in page.text
    assert "nan" not in page.text.split()


def test_every_number_has_its_basis_and_its_source(runs, pages):
    """Each number of the regime file stands in the page with its basis; cited sources are listed with address."""
    from underheaven.reading import cited

    run = runs["press-2018"]
    text = pages["press-2018"].read_text()
    for number in cited(run.regime):
        assert ".<wbr>".join(number.path.split(".")) in text
    for source in {number.source for number in cited(run.regime)} - {None}:
        assert f'id="source-{source}"' in text
        assert (run.regime.sources[source].address or "").replace("&", "&amp;") in text
    assert text.count('class="basis assumed"') > 10


def test_page_loads_nothing(pages):
    """No element of any page fetches: the only addresses are links and names of XML dialects."""
    for path in pages.values():
        for tag, attributes in Elements(path.read_text()).tags:
            assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form", "video", "audio")
            assert "src" not in attributes
            assert not [key for key in attributes if key.startswith("on")]
            assert "style" not in attributes
            if "href" in attributes:
                assert tag in ("a", "use", "image") and re.match(
                    r"#|https?://|data:text/csv;", attributes["href"] or ""
                )


@pytest.mark.parametrize("name", REGIMES)
def test_charts_explain_themselves(name, runs):
    """Each chart has a title, one sentence how to read it, axis titles, data, a table and a valid specification."""
    import altair

    charts = all_charts(runs[name])
    assert len(charts) >= (1 if name == "none" else 5)
    for chart in charts:
        altair.Chart.from_dict(chart.spec)  # against the schema of Vega-Lite
        assert chart.title and chart.how_to_read.endswith(".")
        assert chart.records and chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert all(set(record) == set(chart.records[0]) for record in chart.records)
        rows = list(csv.DictReader(io.StringIO(chart.as_csv())))
        assert len(rows) == len(chart.records)
        json.dumps(chart.spec, allow_nan=False)


def test_press_has_the_charts_of_a_report(runs):
    """The regime of the press shows scores, grades, moves, false entries, strata, refusals and waits."""
    names = {chart.name for chart in all_charts(runs["press-2018"])}
    assert names >= {"scores", "tiers", "flows", "false-records", "false-by-act", "hospital", "lists"}


def test_csv_cells_are_tamed():
    """A text cell that a spreadsheet would run gets a ' before it; numbers stay numbers."""
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "plain", 'a,b"c']
    records = [{"=name": name, "amount": -5} for name in names]
    rows = list(csv.reader(io.StringIO(Chart("x", "t", "r", {}, records, (), []).as_csv())))
    assert rows[0] == ["'=name", "amount"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "plain", 'a,b"c']
    assert {row[1] for row in rows[1:]} == {"-5"}


def test_files_beside_the_page(runs, pages):
    """findings.json is the audit, data/ has one CSV a chart, and the run itself still verifies."""
    run = runs["press-2018"]
    folder = pages["press-2018"].parent
    assert json.loads((folder / "findings.json").read_text()) == json.loads(json.dumps(audit(run)))
    assert {path.stem for path in (folder / "data").iterdir()} == {chart.name for chart in all_charts(run)}
    run.verify()


PAYLOAD = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'\"&"


def poisoned(run: Run) -> str:
    """Render a run whose title, summary, sources, group and county names are attacks."""
    regime = run.regime.model_copy(update={"title": PAYLOAD, "summary": PAYLOAD})
    source = next(iter(regime.sources.values())).model_copy(update={"title": PAYLOAD, "address": "javascript:alert(3)"})
    regime = regime.model_copy(update={"sources": dict.fromkeys(regime.sources, source)})
    manifest = json.loads(json.dumps(run.manifest))
    manifest["regime"]["title"] = manifest["world"]["title"] = manifest["world"]["name"] = PAYLOAD
    charts = [
        Chart(
            chart.name,
            PAYLOAD,
            PAYLOAD,
            {**chart.spec, "title": PAYLOAD, "description": PAYLOAD},
            chart.records,
            tuple(PAYLOAD for _ in chart.columns),
            [tuple(PAYLOAD for _ in row) for row in chart.rows[:2]],
        )
        for chart in all_charts(run)[:2]
    ]
    found = audit(run)
    found["findings"][0]["text"] = found["findings"][0]["title"] = PAYLOAD

    class Poisoned:
        folder = run.folder

    other: Any = Poisoned()
    other.regime, other.world, other.manifest = regime, run.world, manifest
    return render(other, found, charts)


def test_names_are_escaped(runs):
    """No text of a file becomes an element, an attribute, a script or a template."""
    page = poisoned(runs["press-2018"])
    elements = Elements(page)
    assert not [tag for tag, _ in elements.tags if tag == "img"]
    assert not [a for _, a in elements.tags if "onerror" in a or "javascript:" in (a.get("href") or "")]
    assert "<script>alert" not in page
    assert "{{7*7}}" in elements.text
    assert [a.get("type") for tag, a in elements.tags if tag == "script"] == ["application/json"] * 2 + [None] * 2


def test_drawings_are_plain(pages):
    """The drawings are well-formed SVG with unique names, without script, style or anything from outside."""
    page = pages["press-2018"].read_text()
    drawings = re.findall(r'<div class="drawing">(<svg .*?</svg>)</div>', page, re.DOTALL)
    assert len(drawings) >= 7
    names: list[str] = []
    for drawing in drawings:
        root = ET.fromstring(drawing)
        assert root.get("aria-label")
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in ("script", "foreignObject", "style", "image", "a")
            names += [element.get("id") or ""] if element.get("id") else []
    assert len(names) == len(set(names))


@pytest.mark.browser
def test_browser_meets_no_request_and_no_fault(pages, page):
    """In Chromium the page asks for nothing but itself, breaks no rule of its policy, and its charts come alive."""
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    address = pages["press-2018"].as_uri()
    page.goto(address)
    figures = page.locator("figure[data-chart]")
    for number in range(figures.count()):
        figures.nth(number).scroll_into_view_if_needed()
        page.wait_for_function("n => document.querySelectorAll('figure')[n].dataset.state", arg=number)
    states = page.evaluate("Array.from(document.querySelectorAll('figure')).map(f => f.dataset.state)")
    assert set(states) == {"live"}
    assert faults == []
    assert asked == [address]


@pytest.mark.browser
def test_browser_runs_no_foreign_script(runs, page, tmp_path):
    """A page full of attacks shows them as text; the policy stops a script that was added to it."""
    path = tmp_path / "report.html"
    planted = "<script>document.title = 'planted'</script></body>"
    path.write_text(poisoned(runs["press-2018"]).replace("</body>", planted))
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    assert alerts == []
    assert page.title() != "planted"
    assert page.locator("h1").inner_text().startswith("</script>")


@pytest.mark.browser
def test_browser_reads_without_script(pages, browser):
    """Without script every chart is there as a drawing, and its data can be saved."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["press-2018"].as_uri())
    drawings = page.locator(".drawing svg")
    assert drawings.count() >= 7
    assert all(drawings.nth(n).bounding_box()["width"] > 300 for n in range(drawings.count()))
    with page.expect_download() as saved:
        page.locator("#chart-tiers .button").click()
    assert saved.value.suggested_filename == "tiers.csv"
    assert Path(saved.value.path()).read_text(encoding="utf-8-sig").startswith("day,grade,")
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
def test_browser_page_fits(pages, page, width):
    """Nothing sticks out of the page, on a phone or on a screen."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(pages["press-2018"].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
