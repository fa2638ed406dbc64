"""Reports as a browser shows them: nothing runs, nothing is fetched, everything is in view, and everybody can read it."""

import csv
import itertools
import random
import re

import pytest
from conftest import write_npy, write_png

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make test-pages installs it")

HOSTILE = [
    "<script>alert(1)</script>", "a]]>b", "\"quotes\" & 'others'", "שלום", "e\u0301\u0302\u0303", "👩‍👩‍👧",
    "<img src=x onerror=alert(2)>", "\u202egnp.exe",
]
WIDTHS = [360, 800, 1600]


def write_images(folder, classes, count, channels=1, depth=8, size=12, groups=False):
    """Writes images that tell their classes apart a little, and a metadata.csv that names them."""
    images = folder / "images"
    images.mkdir()
    draw = random.Random(0)
    with open(images / "metadata.csv", "w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file_name", "label", "split"] + ["group"] * groups)
        for number in range(count):
            name = f"{number} {classes[number % len(classes)].replace('/', '-')[:40]}.png"
            row_size = size * channels * depth // 8
            base = number % len(classes) * 191 // len(classes)
            # A coarse pattern, so that large files stay small.
            rows = [bytes(base + draw.randrange(64) for _ in range(row_size)) for _ in range(min(size, 32))]
            write_png(images / name, [rows[y * len(rows) // size] for y in range(size)], channels, depth)
            split = "train" if number < count * 2 // 3 else "test"
            writer.writerow(
                [name, classes[number % len(classes)], split] + [f"group {classes[number % 3 % len(classes)]}"] * groups)


def import_images(rrdata, folder, floats=False, **kind):
    """Imports images, as d.h5."""
    if not floats:
        write_images(folder, **kind)
        rrdata(folder, "import", "pngs", "images", "-o", "d.h5")
        return
    draw = random.Random(0)
    count, size = kind["count"], kind["size"]
    write_npy(folder / "x.npy", "f", [draw.gauss(n % 3, 1) for n in range(count) for _ in range(size * size)], (count, size, size))
    write_npy(folder / "y.npy", "q", [n % 3 for n in range(count)], (count,))
    rrdata(folder, "import", "npy", "x.npy", "--layout", "NHW", "--labels", "y.npy", "-o", "d.h5")


def make_runs(rrdata, folder, floats=False, **kind):
    """Imports images, gives masks to them by a first model, and trains a second one with these."""
    import_images(rrdata, folder, floats, **kind)
    train = ["--model", "mlp", "--epochs", 2, "--batch-size", 8, "--learning-rate", 0.01] + ["--normalize", "auto"] * floats
    rrdata(folder, "train", "d.h5", *train, "-o", "<b>plain")
    rrdata(folder, "make-masks", "d.h5", "--run", "<b>plain", "--top-k", 9, "--per-pixel", "-o", "m.h5")
    validation = [] if floats else ["--validation", "test"]
    rrdata(folder, "train", "d.h5", "--masks", "m.h5", "--lambda1", 1, *validation, *train, "-o", "right")


# What datasets are like: what they hold, and whether masks and labels are given to the page.
KINDS = {
    "hostile names": dict(classes=HOSTILE, count=96, groups=True),
    "gray of 28": dict(classes=["a", "b"], count=40, size=28),
    "colour of 32": dict(classes=["a", "b"], count=40, channels=3, size=32),
    "colour of 224": dict(classes=["a", "b"], count=24, channels=3, size=224),
    "sixteen bits": dict(classes=["a", "b", "c"], count=45, depth=16),
    "floats": dict(classes=None, count=45, size=12, floats=True),
    "a hundred classes": dict(classes=[f"class {n}" for n in range(100)], count=300, size=8),
    "a thousand classes": dict(classes=[f"class {n}" for n in range(1000)], count=3000, size=4),
}


@pytest.fixture(scope="session", params=KINDS)
def folder(request, rrdata, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    make_runs(rrdata, folder, **KINDS[request.param])
    rrdata(folder, "report", "<b>plain", "right", "--data", "d.h5", "--masks", "m.h5", "-o", "report.html")
    rrdata(
        folder, "preview", "d.h5", "--masks", "m.h5", "--run", "<b>plain", "--run", "right", "--count", 9, "--format", "svg", "-o",
        "sheet.svg")
    rrdata(
        folder, "preview", "d.h5", "--masks", "m.h5", "--run", "<b>plain", "--run", "right", "--count", 9, "-o", "sheet.png")
    return folder


@pytest.fixture(scope="session")
def report(folder):
    return folder / "report.html"


@pytest.fixture(scope="session")
def small(rrdata, tmp_path_factory):
    """A page about a run alone, without data."""
    folder = tmp_path_factory.mktemp("small")
    make_runs(rrdata, folder, classes=["a", "b"], count=12)
    rrdata(folder, "report", "right", "-o", "report.html")
    return folder / "report.html"


LITTLE = {
    "one sample": ["--masks", "one-m.h5"],
    "no labels": [],
    "no masks": [],
}


@pytest.fixture(scope="session", params=LITTLE)
def little(request, rrdata, tmp_path_factory):
    """Pages and sheets about data that lack something, and about a single sample; and what they lack."""
    folder = tmp_path_factory.mktemp("little")
    make_runs(rrdata, folder, classes=["a", "b"], count=12)
    (folder / "one" / "a").mkdir(parents=True)
    first = sorted((folder / "images").glob("*.png"))[0]
    (folder / "one" / "a" / "only.png").write_bytes(first.read_bytes())
    rrdata(folder, "import", "pngs", "one", "-o", "one.h5")
    rrdata(folder, "make-masks", "one.h5", "--run", "right", "--top-k", 3, "-o", "one-m.h5")
    (folder / "flat").mkdir()
    for path in itertools.islice((folder / "images").glob("*.png"), 5):
        (folder / "flat" / path.name).write_bytes(path.read_bytes())
    rrdata(folder, "import", "pngs", "flat", "--labels", "none", "-o", "flat.h5")
    data = {"one sample": "one.h5", "no labels": "flat.h5", "no masks": "d.h5"}[request.param]
    rrdata(folder, "report", "right", "--data", data, *LITTLE[request.param], "-o", "report.html")
    for form in ("svg", "png"):
        rrdata(
            folder, "preview", data, *LITTLE[request.param], "--run", "right", "--format", form, "-o", f"sheet.{form}")
    return request.param, folder


@pytest.fixture(scope="session", params=["sweep", "find-another"])
def series(request, rrdata, tmp_path_factory):
    """A page about all that a sweep or a search has tried."""
    folder = tmp_path_factory.mktemp("series")
    # As many samples and epochs as it takes to tell them apart: of runs that do not, none is recommended.
    make_runs(rrdata, folder, classes=[HOSTILE[0], HOSTILE[2]], count=96, groups=True)
    train = ["--model", "mlp", "--epochs", 6, "--batch-size", 8, "--learning-rate", 0.01, "-o", "<b>tried"]
    if request.param == "sweep":
        rrdata(folder, "sweep", "d.h5", "--masks", "m.h5", "--ways", "rrr,swap", "--lambda1", "0.1,1,10", *train)
    else:
        rrdata(folder, "find-another", "d.h5", "--rounds", 3, *train)
    rrdata(folder, "report", "<b>tried", "--data", "d.h5", "--masks", "m.h5", "-o", "report.html")
    return request.param, folder / "report.html"


class Visit:
    """A page with what went wrong on it, and what it asked for."""

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


def check_in_view(browser, path, width):
    with Visit(browser, path, viewport={"width": width, "height": 800}) as visit:
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


def check_readable(browser, path, scheme):
    # The policy lets no script run in the page, axe's among them: the check is of the page without it.
    with Visit(browser, path, color_scheme=scheme, bypass_csp=True) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        violations = axe.Axe().run(visit.page).response["violations"]
        assert not violations, [(v["id"], v["nodes"][0]["html"][:300], v["nodes"][0].get("failureSummary")) for v in violations]


@pytest.mark.parametrize("width", WIDTHS)
def test_in_view(browser, report, width):
    check_in_view(browser, report, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(browser, report, scheme):
    check_readable(browser, report, scheme)


def test_series(browser, series):
    """What was tried can be read as all else, each try in its row."""
    kind, path = series
    for width in WIDTHS:
        check_in_view(browser, path, width)
    for scheme in ("light", "dark"):
        check_readable(browser, path, scheme)
    with Visit(browser, path) as visit:
        part = visit.page.locator("#series")
        assert part.locator("h3").text_content() == "<b>tried"
        rows = part.locator("tbody tr").all_text_contents()
        if kind == "sweep":
            # Without a penalty, and each way with each weight.
            assert len(rows) == 1 + 2 * 3 and sum("recommended" in row for row in rows) == 1
            assert part.locator(".chart > svg .line").count() == 3
        else:
            assert len(rows) == 3 and part.locator(".chart").count() == 0


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


def test_little(browser, little):
    lacking, folder = little
    for name in ("report.html", "sheet.svg"):
        with Visit(browser, folder / name, viewport={"width": 360, "height": 640}) as visit:
            assert not visit.faults
            if name == "report.html":
                assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
                has = {part: visit.page.locator(f"#{part}").count() == 1 for part in ("data", "results", "reasons", "gallery")}
                assert has == {
                    "data": True, "results": lacking != "no labels", "reasons": lacking == "one sample",
                    "gallery": lacking == "one sample"}


def test_small_enough(report):
    assert report.stat().st_size < 3_000_000


def test_sheets(browser, folder):
    """The drawing that is text, as a picture in a page: every panel and every line within it, and nothing runs."""
    with Visit(browser, folder / "sheet.svg", viewport={"width": 1600, "height": 1200}) as visit:
        page = visit.page
        assert not visit.faults
        assert {url.split(":")[0] for url in visit.requests} <= {"file", "data"}
        assert page.locator("script, a, foreignObject, [onload], [onerror]").count() == 0
        # A legend of masks and one of heat, and for each sample the image, its mask and two runs.
        samples = (page.locator("image").count() - 2) / 4
        assert samples == int(samples) and 1 <= samples <= 9
        assert page.evaluate("[...document.querySelectorAll('image')].every(one => one.querySelector('title').textContent)")
        assert page.evaluate(
            """(() => { const outer = document.documentElement.getBoundingClientRect();
                return [...document.querySelectorAll('image')].every(part => { const box = part.getBoundingClientRect();
                    return box.width > 0 && box.left >= outer.left && box.right <= outer.right + 0.5
                        && box.bottom <= outer.bottom + 0.5; }); })()""")
        # Panels lie beside each other, not over each other.
        boxes = page.evaluate(
            "[...document.querySelectorAll('image')].map(one => [one.x, one.y, one.width, one.height].map(v => v.baseVal.value))")
        for (x, y, width, height), (left, top, _, _) in itertools.combinations(boxes, 2):
            assert not (x <= left < x + width and y <= top < y + height)
    with Visit(browser, folder / "sheet.png") as visit:
        assert visit.page.evaluate("document.images[0].naturalWidth") >= 640


def test_confusion(browser, report):
    """What is taken for what can be read, however many classes there are."""
    with Visit(browser, report, viewport={"width": 800, "height": 800}) as visit:
        page = visit.page
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        tables = page.locator("#results caption", has_text="takes for what").count()
        charts = page.locator("#results .chart rect.cell")
        assert tables == 2 or charts.count() > 0
        if charts.count():
            smallest = page.evaluate("Math.min(...[...document.querySelectorAll('#results .cell')].map(c => c.getBoundingClientRect().width))")
            assert smallest >= 4
            assert page.locator("#results .cell > title").count() == charts.count()
            assert page.locator("#results caption", has_text="most frequent mistakes").count() == 2
