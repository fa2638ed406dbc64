"""Reports as a browser shows them: nothing runs, nothing is fetched, everything is in view, and everybody can read it."""

import csv
import random
import re

import pytest
from conftest import write_png

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make test-pages installs it")

HOSTILE = [
    "<script>alert(1)</script>", "a]]>b", "\"quotes\" & 'others'", "שלום", "e\u0301\u0302\u0303", "👩‍👩‍👧",
    "<img src=x onerror=alert(2)>", "\u202egnp.exe",
]
WIDTHS = [360, 800, 1600]


def dataset(rrdata, folder, classes, count, channels=1, depth=8, size=12, groups=False):
    """Imports random images that a metadata.csv names, and gives masks to them by a first model."""
    images = folder / "images"
    images.mkdir()
    draw = random.Random(0)
    with open(images / "metadata.csv", "w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file_name", "label", "split"] + ["group"] * groups)
        for number in range(count):
            name = f"{number} {classes[number % len(classes)].replace('/', '-')[:40]}.png"
            row_size = size * channels * depth // 8
            write_png(images / name, [draw.randbytes(row_size) for _ in range(size)], channels, depth)
            split = "train" if number < count * 2 // 3 else "test"
            writer.writerow(
                [name, classes[number % len(classes)], split] + [f"group {classes[number % 3 % len(classes)]}"] * groups)
    rrdata(folder, "import", "pngs", "images", "-o", "d.h5")
    train = ["--model", "mlp", "--epochs", 2, "--batch-size", 8, "--learning-rate", 0.01]
    rrdata(folder, "train", "d.h5", *train, "-o", "<b>plain")
    rrdata(folder, "make-masks", "d.h5", "--run", "<b>plain", "--top-k", 9, "--per-pixel", "-o", "m.h5")
    rrdata(folder, "train", "d.h5", "--masks", "m.h5", "--lambda1", 1, "--validation", "test", *train, "-o", "right")


KINDS = {
    "hostile names": dict(classes=HOSTILE, count=96, groups=True),
    "colour": dict(classes=["a", "b"], count=40, channels=3, size=32),
    "sixteen bits": dict(classes=["a", "b", "c"], count=45, depth=16),
    "a hundred classes": dict(classes=[f"class {n}" for n in range(100)], count=300, size=8),
    "a thousand classes": dict(classes=[f"class {n}" for n in range(1000)], count=3000, size=4),
}


@pytest.fixture(scope="session", params=KINDS)
def report(request, rrdata, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    dataset(rrdata, folder, **KINDS[request.param])
    rrdata(folder, "report", "<b>plain", "right", "--data", "d.h5", "--masks", "m.h5", "-o", "report.html")
    return folder / "report.html"


@pytest.fixture(scope="session")
def small(rrdata, tmp_path_factory):
    """A page about a run alone, without data."""
    folder = tmp_path_factory.mktemp("small")
    dataset(rrdata, folder, classes=["a", "b"], count=12)
    rrdata(folder, "report", "right", "-o", "report.html")
    return folder / "report.html"


class Visit:
    """A page with what went wrong on it."""

    def __init__(self, browser, path, **how):
        self.context = browser.new_context(**how)
        self.page = self.context.new_page()
        self.faults, self.requests = [], []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_in_view(browser, report, width):
    with Visit(browser, report, viewport={"width": width, "height": 800}) as visit:
        page = visit.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = page.evaluate(
            """[...document.querySelectorAll('figure, main img, .chart svg, h2, main > section > p')].map(element => {
                const box = element.getBoundingClientRect();
                const closed = element.closest('details:not([open])') !== null;
                return [element.outerHTML.slice(0, 80), box.left, box.right, box.width, closed || box.height > 0]; })""")
        assert len(boxes) > 10
        for name, left, right, extent, is_shown in boxes:
            assert left >= 0 and right <= width + 0.5 and is_shown, (name, left, right, extent)
        letters = page.evaluate(
            """Math.min(...[...document.querySelectorAll('.chart > svg text')].map(t => t.getBoundingClientRect().height))""")
        assert letters > 8
        # Of this page alone, and pictures within it.
        assert {url.split(":")[0] for url in visit.requests} <= {"file", "data"}
        assert sum(url.startswith("file:") for url in visit.requests) == 1
        assert not visit.faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(browser, report, scheme):
    # The policy lets no script run in the page, axe's among them: the check is of the page without it.
    with Visit(browser, report, color_scheme=scheme, bypass_csp=True) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        violations = axe.Axe().run(visit.page).response["violations"]
        assert not violations, [(v["id"], v["nodes"][0]["html"][:300], v["nodes"][0].get("failureSummary")) for v in violations]


def test_nothing_runs(browser, report):
    with Visit(browser, report) as visit:
        page = visit.page
        assert page.locator("script, iframe, object, link, base, form, [onerror], [onclick], [style]").count() == 0
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        assert page.locator("main b, main img:not([alt])").count() == 0
        assert page.evaluate("getComputedStyle(document.querySelector('.gallery, table')).display") in ("grid", "table")
        # A script that came in all the same would be refused.
        before = len(visit.faults)
        page.evaluate("const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s)")
        assert page.evaluate("window.ran") is None
        assert any("Content Security Policy" in fault for fault in visit.faults[before:])


def test_charts_tell_their_values(browser, report):
    with Visit(browser, report) as visit:
        charts = visit.page.locator("#training .chart")
        assert charts.count() >= 4
        titles = visit.page.locator("#training .hover title")
        assert re.match(r"steps? \d+( to \d+)?\n", titles.first.text_content())
        # Lines stay inside of their charts.
        assert visit.page.evaluate(
            """[...document.querySelectorAll('.chart > svg')].every(svg => { const outer = svg.getBoundingClientRect();
                return [...svg.querySelectorAll('.line, .dot, text')].every(part => { const box = part.getBoundingClientRect();
                    return box.left >= outer.left - 3 && box.right <= outer.right + 3 && box.top >= outer.top - 3
                        && box.bottom <= outer.bottom + 3; }); })""")


def test_keyboard(browser, report):
    with Visit(browser, report) as visit:
        for _ in range(60):
            visit.page.keyboard.press("Tab")
            if visit.page.evaluate("document.activeElement.matches('.wide')"):
                break
        assert visit.page.evaluate("document.activeElement.matches('.wide')")
        assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_run_alone(browser, small):
    with Visit(browser, small, viewport={"width": 360, "height": 640}) as visit:
        assert visit.page.locator("#data, #results, #gallery").count() == 0
        assert visit.page.locator("#training .chart").count() >= 3
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert not visit.faults
