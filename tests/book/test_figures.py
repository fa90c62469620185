"""Every figure and every quiz of the built book, as a reader meets them, against what Python computed.

Each test runs on every page that holds one, and on a page of the test's own (sink.py), which has every kind
of artist and control. A failure names the figure, the control and the position.
"""

import base64
import io
import itertools
import os
import re
import shutil

import numpy as np
import pytest
import sink
from conftest import FRAMES, ROOT, VIEW, html_root, pages
from figure_page import write_page
from PIL import Image
from truth import Truth, of_notebook

SINK = f"_figures-{os.getpid()}/sink.html"
CLOSE = 0.2  # units of the SVG, of which a figure is 518 wide
TIP = 6  # the same: a shaft may end so far before what its arrow points at

# Set controls the way a reader's hand does, and read back what the picture then holds.
SCRIPT = """
window.nnSet = async (settings) => {
  for (const [name, index] of Object.entries(settings)) {
    const figure = document.querySelector(`figure.explore[data-name="${name}"]`);
    for (const [control, i] of Object.entries(index)) {
      const inputs = [...figure.querySelectorAll(`[data-control="${control}"]`)], [first] = inputs;
      if (first.type === "radio") inputs[i].click();
      else {
        first.value = i;
        first.dispatchEvent(new Event(first.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
      }
    }
  }
  await new Promise(requestAnimationFrame);  // the figure asked for this frame before us
};
window.nnRead = (name) => {
  const figure = document.querySelector(`figure.explore[data-name="${name}"]`);
  const svg = figure.querySelector("svg");
  const seen = (node) => getComputedStyle(node).display !== "none";
  const number = (node, key) => +node.getAttribute(key);
  const movers = [...svg.querySelectorAll("g[id]")].filter((g) => /-move\\d+$/.test(g.id));
  movers.sort((a, b) => a.id.match(/\\d+$/)[0] - b.id.match(/\\d+$/)[0]);
  const read = (group) => ({
    paths: [...group.querySelectorAll("path")].filter(seen).map((p) => {
      const { stroke, fill } = getComputedStyle(p);
      return { d: p.getAttribute("d") ?? "", ink: stroke === "none" ? fill : stroke };
    }),
    texts: [...group.querySelectorAll("text")].filter((t) => seen(t) && t.textContent).map((t) => ({
      x: number(t.firstChild, "x"), y: number(t, "y"),
      said: [...t.children].map((row) => row.textContent).join("\\n"),
      ink: getComputedStyle(t).fill,
    })),
    images: [...group.querySelectorAll("image")].filter(seen).map((i) => ({
      x: number(i, "x"), y: number(i, "y"), width: number(i, "width"), height: number(i, "height"),
      href: i.getAttribute("href"),
    })),
  });
  return { movers: movers.map(read), says: figure.querySelector(".explore-says")?.textContent ?? "" };
};
window.nnIndex = (name) => {
  const inputs = [...document.querySelectorAll(`figure.explore[data-name="${name}"] [data-control]`)];
  const chosen = inputs.filter((input) => input.type !== "radio" || input.checked);
  return Object.fromEntries(chosen.map((input) => [input.dataset.control, +input.value]));
};
"""


# --- The pages and the truth about them ---


def pytest_generate_tests(metafunc):
    if "figures_on" in metafunc.fixturenames:
        having = [p for p in pages() if VIEW[7:-1] in (html_root() / p).read_text(encoding="utf8")]
        # all tests of a page go to one worker, so that its notebook is run once
        marked = [pytest.param(p, marks=pytest.mark.xdist_group(p)) for p in ("sink", *having)]
        metafunc.parametrize("figures_on", marked, scope="session")


def test_every_chapter_has_a_figure(chapter_path):
    assert VIEW[7:-1] in (html_root() / chapter_path).read_text(encoding="utf8"), (
        f"{chapter_path} has no live figure"
    )


@pytest.fixture(scope="session")
def sink_page(built_book):
    folder = (built_book / SINK).parent
    folder.mkdir()
    truth = Truth()
    with truth.watching():
        sink_explore, sink_quiz = sink.explore, sink.quiz
        import nnmath.explore
        import nnmath.quiz

        sink.explore, sink.quiz = nnmath.explore.explore, nnmath.quiz.quiz
        try:
            sink.build()
        finally:
            sink.explore, sink.quiz = sink_explore, sink_quiz
    write_page(built_book / SINK, truth.widgets, sink.LINKS)
    yield truth
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def truth(figures_on, sink_page, cache={}):  # noqa: B006 (a notebook is run once for all tests of its page)
    if figures_on == "sink":
        return sink_page
    if figures_on not in cache:
        sources = [(ROOT / figures_on).with_suffix(suffix) for suffix in (".ipynb", ".md")]
        found = [source for source in sources if source.exists()]
        assert found, f"{figures_on} has figures, but no notebook of its name is there"
        cache[figures_on] = of_notebook(found[0], (html_root() / figures_on).read_text(encoding="utf8"))
    return cache[figures_on]


@pytest.fixture
def load(open_page, figures_on):
    def load(width=1280, **given):
        page = open_page(SINK if figures_on == "sink" else figures_on, width=width, typeset=False, **given)
        page.evaluate(SCRIPT)
        return page

    return load


@pytest.fixture
def shown(look_at, figures_on, request):
    """The page, shared by the tests that set what they read; controls may stand anywhere.

    It is as wide as the test's parameter `width` says, else 1280 pixels.
    """
    width = request.node.callspec.params.get("width", 1280)
    page = look_at(SINK if figures_on == "sink" else figures_on, typeset=False, width=width)
    page.evaluate(SCRIPT)
    return page


def put(page, name, index):
    put_all(page, {name: index})


def put_all(page, settings):
    """Set many figures, {name: {control: position}}, and wait for one frame: waiting is most of the time."""
    page.evaluate("(settings) => nnSet(settings)", settings)


def read(page, name):
    return page.evaluate("(name) => nnRead(name)", name)


def read_all(page, settings):
    """Set many figures as `put_all` does; then what each picture holds, {name: ...}."""
    return page.evaluate(
        """async (settings) => {
          await nnSet(settings);
          return Object.fromEntries(Object.keys(settings).map((name) => [name, nnRead(name)]));
        }""",
        settings,
    )


def index_of(page, name):
    return page.evaluate("(name) => nnIndex(name)", name)


def rest(page):
    """Wait until every figure has told Python and the address where it stands: when the hand rests."""
    page.wait_for_function("() => !document.querySelector('figure.explore[data-state=moving]')")


def figure_of(page, name):
    return page.locator(f'figure.explore[data-name="{name}"]')


# --- The same picture as Matplotlib's ---


def test_the_page_shows_the_figures_of_its_notebook(shown, truth, figures_on):
    names = shown.eval_on_selector_all("figure.explore", "figures => figures.map((f) => f.dataset.name)")
    assert sorted(names) == sorted(truth.figures)


def test_the_page_says_how_many_figures_it_has(shown, truth):
    page = shown
    facts = page.locator("p.chapter-facts")
    if facts.count():
        assert f" {len(truth.figures)} live figure" in facts.text_content()


def test_code_is_folded_under_what_it_makes(shown, truth):
    page = shown
    titles = page.locator("details.code-below > summary").all_text_contents()
    if titles:
        assert titles.count("The code of this figure") == len(truth.figures)
        assert titles.count("The code of these questions") == len(truth.quizzes)


def test_values_are_those_that_python_computed(shown, truth):
    page, faults = shown, []
    for k in range(max(len(figure.positions) for figure in truth.figures.values())):
        shows = {name: f for name, f in truth.figures.items() if k < len(f.positions)}
        there = read_all(page, {name: figure.positions[k] for name, figure in shows.items()})
        for name, figure in shows.items():
            got, (want, says) = there[name], figure.expected[k]
            where = f"figure {name} at {figure.positions[k]}"
            if got["says"] != says:
                faults.append(f"{where}: says {got['says']!r}, not {says!r}")
            for i, (drawn, artist) in enumerate(zip(got["movers"], want, strict=True)):
                faults += [
                    f"{where}: artist {i}, a {artist['kind']}, {f}" for f in differences(drawn, artist)
                ]
    assert not faults, "\n".join(faults[:20])


def points_of(paths):
    """The points that the page gave, in order. Outlines of markers are in small letters and left out."""
    found = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", " ".join(path["d"] for path in paths))
    return np.array(found, float).reshape(-1, 2)


def differences(there, artist):
    """What is wrong with an artist in the page, in words."""
    points = points_of(there["paths"])
    if artist.get("arrow") is not None:
        ends = points[[0, -1]] if len(points) else np.full((2, 2), np.nan)
        near = CLOSE if artist["said"] is None else TIP, TIP  # it begins at its text, which a layout moves
        if not (np.abs(ends - artist["arrow"]).max(axis=1) < near).all():
            yield f"has an arrow along {ends.tolist()}, not {artist['arrow'].tolist()}"
        yield from ink_differences([p["ink"] for p in there["paths"]], {"ink": artist["arrow_ink"]})
    if artist.get("pixels") is not None:
        yield from image_differences(there["images"], artist)
    elif artist["said"] is not None:
        texts = there["texts"]
        if [t["said"] for t in texts] != [artist["said"]]:
            yield f"says {[t['said'] for t in texts]}, not {artist['said']!r}"
        elif np.abs(artist["at"] - [texts[0]["x"], texts[0]["y"]]).max() > (CLOSE if artist["plain"] else 3):
            yield f"{artist['said']!r} stands at {texts[0]['x']}, {texts[0]['y']}, not at {artist['at']}"
        yield from ink_differences([t["ink"] for t in texts], artist)
    elif artist.get("bounds") is not None:
        box = np.array([points.min(axis=0), points.max(axis=0)]) if len(points) else np.full((2, 2), np.nan)
        want = np.sort(artist["bounds"], axis=0)
        inside = np.abs(want) < 1500  # what lies far outside is cut
        if not (np.abs(box - want) < CLOSE)[inside].all():
            yield f"spans {box.tolist()}, not {want.tolist()}"
    elif artist["points"] is not None:
        near = artist["near"]
        lost = [p for p in near if not len(points) or np.abs(points - p).max(axis=1).min() > CLOSE]
        if lost:
            yield f"lacks {len(lost)} of {len(near)} points, such as {lost[0]}"
        strange = [] if artist["cut"] else [p for p in points if np.abs(near - p).max(axis=1).min() > CLOSE]
        if strange:
            yield f"has {len(strange)} points that are not its own, such as {strange[0]}"
        if artist["kind"] == "Line2D" and not artist["cut"] and len(points) % max(1, len(near)):
            yield f"has {len(points)} points for {len(near)}"
        elif artist["kind"] == "Line2D" and not artist["cut"] and len(near):
            order = np.abs(points.reshape(-1, *near.shape) - near).max()
            if order > CLOSE:
                yield f"has its points in another order: off by {order:.1f}"
        yield from ink_differences([p["ink"] for p in there["paths"] if p["d"]], artist)
    elif (len(points) and artist.get("arrow") is None) or there["texts"]:
        yield f"is hidden in Matplotlib but has {len(points)} points and says {there['texts']}"


def ink_differences(inks, artist):
    def hexa(css):
        return "#" + "".join(f"{int(v):02x}" for v in re.findall(r"\d+", css)[:3])

    wrong = [hexa(ink) for ink in inks if artist["ink"] and hexa(ink) != artist["ink"]]
    if wrong and artist["ink"] != "#000000":  # black is ink, which a page may color
        yield f"is drawn in {wrong[0]}, not in {artist['ink']}"


def image_differences(images, artist):
    if len(images) != 1:
        yield f"shows {len(images)} images"
        return
    shown, want = images[0], np.sort(artist["bounds"], axis=0)
    got = np.array([[shown["x"], shown["y"]], [shown["x"] + shown["width"], shown["y"] + shown["height"]]])
    if np.abs(got - want).max() > CLOSE:
        yield f"stands at {got.tolist()}, not at {want.tolist()}"
    raw = np.frombuffer(base64.b64decode(shown["href"].partition(",")[2]), np.uint8)
    height, width = artist["pixels"].shape[:2]
    pixels = raw[-4 * height * width :].reshape(height, width, 4)[..., [2, 1, 0, 3]]
    solid = artist["pixels"][..., 3] > 0
    off = np.abs(pixels.astype(int) - artist["pixels"])[solid]
    if off.max(initial=0) > 1 or (pixels[..., 3] > 0).tolist() != solid.tolist():
        yield f"has other pixels: off by {off.max(initial=0)}"


def test_the_picture_is_that_of_matplotlib(shown, truth):
    """Pixels within the axes, blurred a little, whatever moves or stands there but for words that move."""
    page = shown
    page.add_style_tag(
        content=".photographed { position: fixed !important; inset: 0 auto auto 0; z-index: 99999;"
        " margin: 0 !important; padding: 0 !important; width: 720px !important; max-width: none !important;"
        " background: white } .photographed g[id*='-move'] text { visibility: hidden }"
    )
    faults = []
    for name, figure in truth.figures.items():
        figure_of(page, name).evaluate("(figure) => figure.classList.add('photographed')")
        width, height = (figure.fig.get_size_inches() * 100).round().astype(int)
        clip = {"x": 0, "y": 0, "width": int(width), "height": int(height)}
        for index, picture in zip(figure.pictured, figure.pictures, strict=True):
            put(page, name, index)
            mine, theirs = blurred(page.screenshot(clip=clip)), blurred(picture)
            for box in {tuple(np.multiply(box, 100 / 72 / 4).astype(int)) for box in figure.boxes}:
                here = np.s_[box[1] : box[1] + box[3] + 1, box[0] : box[0] + box[2] + 1]
                off = np.abs(mine[here] - theirs[here]).mean()
                if off > 3:
                    faults.append(f"figure {name} at {index}: off by {off:.1f} of 255 on average in {box}")
        figure_of(page, name).evaluate("(figure) => figure.classList.remove('photographed')")
    assert not faults, "\n".join(faults)


def blurred(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB").reduce(4), float)


# --- Controls ---


# Whether the picture differs from the first at one of the positions of a figure.
CHANGES = """async ([name, positions]) => {
  let first = null;
  for (const position of positions) {
    await nnSet({ [name]: position });
    const picture = JSON.stringify(nnRead(name).movers);
    if (picture !== (first ??= picture)) return true;
  }
  return false;
}"""


def test_every_control_changes_the_picture(shown, truth):
    page = shown
    dead = []
    for name, figure in truth.figures.items():
        for control, c in figure.controls.items():
            spots = sorted({int(i) for i in np.linspace(0, len(c.values) - 1, 9)})
            turns = ([others | {control: i} for i in spots] for others in figure.positions)
            if not any(page.evaluate(CHANGES, [name, turn]) for turn in turns):
                dead.append(f"figure {name}: control {control} changes nothing")
    assert not dead, "\n".join(dead)


# A slider takes the focus, as by the key Tab. (Playwright's locators take much longer on a long page.)
FOCUS = """([name, control]) => document.querySelector(
  `figure.explore[data-name="${name}"] input[type=range][data-control="${control}"]`).focus()"""
# Where each [figure, control] stands, what its slider says and shows, and what its figure says.
SPOKEN = """async (sliders) => {
  await new Promise(requestAnimationFrame);
  return sliders.map(([name, control]) => {
    const input = document.querySelector(`figure.explore[data-name="${name}"] [data-control="${control}"]`);
    const shown = input.parentElement.querySelector("output").textContent;
    return [nnIndex(name), input.getAttribute("aria-valuetext"), shown, nnRead(name).says];
  });
}"""


def test_keyboard_and_spoken_values(shown, truth):
    """Each key on one slider of every figure; then all are read at once: waiting is most of the time."""
    page = shown
    for name, figure in truth.figures.items():
        assert set(index_of(page, name)) == set(figure.controls), f"figure {name} lacks controls"
    sliders = [
        [(name, control) for control, c in figure.controls.items() if c.kind == "slider"]
        for name, figure in truth.figures.items()
    ]
    for turn in itertools.zip_longest(*sliders):
        turn = [slider for slider in turn if slider is not None]
        for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
            for slider in turn:
                page.evaluate(FOCUS, slider)
                page.keyboard.press(key)
            for (name, control), (index, spoken, seen, says) in zip(
                turn, page.evaluate(SPOKEN, turn), strict=True
            ):
                figure, c = truth.figures[name], truth.figures[name].controls[control]
                last, where = len(c.values) - 1, f"figure {name}, control {control}: {key}"
                wanted = {"Home": 0, "ArrowRight": 1, "End": last, "ArrowLeft": last - 1}[key]
                assert index[control] == wanted, f"{where} leads to {index[control]}, not to {wanted}"
                assert spoken == c.labels[wanted], f"{where} is not spoken"
                assert seen == c.labels[wanted], f"{where} is not shown"
                assert says == figure.says(index), where


def test_choices_by_keyboard(shown, truth):
    page = shown
    for name, figure in truth.figures.items():
        for control in (k for k, c in figure.controls.items() if c.kind == "choice"):
            inputs = figure_of(page, name).locator(f'[data-control="{control}"]')
            put(page, name, {control: 0})
            inputs.first.focus()
            inputs.first.press("ArrowDown")
            assert index_of(page, name)[control] == 1, f"figure {name}, control {control}: no way by keyboard"


def test_reset(shown, truth):
    page = shown
    for name, figure in truth.figures.items():
        if not figure.controls:
            continue
        put(page, name, figure.start)
        first = read(page, name)
        put(page, name, figure.positions[1])
        button = figure_of(page, name).get_by_role("button", name="Reset")
        button.focus()
        page.keyboard.press("Enter")
        page.evaluate(FRAMES)
        assert read(page, name) == first, f"figure {name}: reset does not bring its picture back"
        assert index_of(page, name) == figure.start, f"figure {name}: reset leaves a control elsewhere"


def test_the_address_keeps_the_settings(shown, load, truth):
    """All figures at once: what the address says brings every picture back."""
    address_keeps_settings(shown, load, truth)


def test_so_does_the_address_of_a_file(open_page, sink_page):
    def load(**how):
        page = open_page(SINK, over="file", **how)
        page.evaluate(SCRIPT)
        return page

    address_keeps_settings(load(), load, sink_page)


def address_keeps_settings(page, load, truth):
    wanted, pictures = {}, {}
    for name, figure in truth.figures.items():
        if figure.controls:
            wanted[name] = figure.positions[-1]
            put(page, name, wanted[name])
            pictures[name] = read(page, name)
    if not wanted:
        return
    rest(page)
    fragment = page.evaluate("location.hash").removeprefix("#")
    again = load(fragment=fragment)
    again.evaluate(FRAMES)
    for name, index in wanted.items():
        assert index_of(again, name) == index, f"figure {name}: {fragment} does not say {index}"
        assert read(again, name) == pictures[name], f"figure {name}: {fragment} shows another picture"
    for name in wanted:
        figure_of(again, name).get_by_role("button", name="Reset").click()
    rest(again)
    assert again.evaluate("location.hash") == "", "reset leaves settings in the address"


@pytest.mark.parametrize("fragment", ["100%", "lines:t=", "lines:", "a=b;;:", "lines:t=1e999,mode=none"])
def test_a_wrong_address_does_no_harm(open_page, sink_page, fragment):
    page = open_page(SINK, fragment=fragment)
    page.evaluate(SCRIPT)
    assert index_of(page, "lines") == sink_page.figures["lines"].start


def test_links_set_controls(shown, truth, figures_on):
    page = shown
    links = page.locator("main a[href*='#'], article a[href*='#']").evaluate_all(
        "all => all.map((a) => a.getAttribute('href'))"
    )
    found = [link for link in links if re.match(r"^[^#]*#[a-z][a-z0-9-]*:", link) and link.startswith("#")]
    for link in found:
        name, _, settings = link[1:].partition(":")
        assert name in truth.figures, f"the link {link} names no figure of its page"
        figure, wanted = truth.figures[name], {}
        for setting in settings.split(","):
            control, _, value = setting.partition("=")
            assert control in figure.controls, f"the link {link} names no control of figure {name}"
            c = figure.controls[control]
            value = page.evaluate("(text) => decodeURIComponent(text)", value)
            near = (
                c.labels.index(value)
                if c.kind == "choice"
                else np.argmin(np.abs(np.array(c.values) - float(value)))
            )
            wanted[control] = int(near)
            if c.kind == "slider":
                gap = abs(c.values[near] - float(value)) / max(abs(float(value)), 1e-12)
                assert gap < 0.06, f"the link {link} sets {control} to {c.values[near]}: no such stop"
        put(page, name, {k: (i + 1) % len(figure.controls[k].values) for k, i in wanted.items()})
        page.evaluate("(href) => document.querySelector(`a[href='${href}']`).click()", link)
        got = index_of(page, name)
        assert {k: got[k] for k in wanted} == wanted, f"the link {link} leads to {got}"
    assert found or figures_on != "sink"


# Plays all that are given at once, as most of the time is waiting: to the position `until`, or to the end.
PLAY = """async ([items, until]) => Promise.all(items.map(async ([name, control, button]) => {
  const start = performance.now(), end = start + 8000, at = () => nnIndex(name)[control];
  const plays = () => button.getAttribute("aria-label").startsWith("Stop");
  button.click();
  while (performance.now() < end && plays() && at() < until) await new Promise(requestAnimationFrame);
  const still = plays(), took = performance.now() - start;
  if (still) button.click();
  return [at(), still, took];
}))"""


def test_play(shown, truth):
    page, playing = shown, {}
    for name, figure in truth.figures.items():
        for turn, control in enumerate(k for k, c in figure.controls.items() if c.play):
            c, controls = figure.controls[control], figure_of(page, name)
            button = controls.get_by_role("button", name=f"Play {c.title or control.replace('_', ' ')}")
            item = name, control, button.element_handle(), len(c.values) - 1
            playing.setdefault(turn, []).append(item)  # of each figure one control at a time
    for items in playing.values():
        handles = [list(item[:3]) for item in items]
        put_all(page, {name: {control: 0} for name, control, *_ in items})
        stopped = page.evaluate(PLAY, [handles, 2])
        page.wait_for_timeout(750)  # longer than any turn
        for (name, control, _, last), (here, still, took) in zip(items, stopped, strict=True):
            assert last < 2 or took > 1000, f"{name}, {control}: too fast for who asked for less motion"
            assert here >= min(2, last) and (still or here == last), f"{name}, {control}: does not play"
            assert index_of(page, name)[control] == here, f"{name}, {control}: it plays on"
        put_all(page, {name: {control: last - 1} for name, control, _, last in items})
        ended = page.evaluate(PLAY, [handles, 10**9])
        for (name, control, _, last), (here, still, _) in zip(items, ended, strict=True):
            assert here == last and not still, f"{name}, {control}: it does not stop at the end"


# --- Looks ---


def dress(page, scheme):
    """Light or dark, as the reader's machine says."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)


def test_light_and_dark_differ(shown, truth):
    page, seen = shown, {}
    for scheme in ("light", "dark"):
        dress(page, scheme)
        for name in truth.figures:
            text, paper = page.evaluate(
                """(name) => {
                  const figure = document.querySelector(`figure.explore[data-name="${name}"]`);
                  const ink = figure.querySelector("svg text") ?? figure.querySelector("figcaption");
                  const style = getComputedStyle(ink);
                  return [ink.tagName === "text" ? style.fill : style.color,
                          getComputedStyle(figure).getPropertyValue("--nn-paper").trim()];
                }""",
                name,
            )
            seen[name, scheme] = text, paper
    for name in truth.figures:
        light, dark = seen[name, "light"], seen[name, "dark"]
        assert light[0] != dark[0] and light[1] != dark[1], (
            f"figure {name} looks alike in light and dark: {light}"
        )


@pytest.mark.parametrize("width", [1280, 390])
def test_no_text_is_cut_off(shown, truth, width):
    """All texts of the picture, moving ones too, stay within it at every position of a coarse grid."""
    page, grids, faults = shown, {}, []
    for name, figure in truth.figures.items():
        spots = [
            sorted({0, c.start, len(c.values) // 2, len(c.values) - 1}) for c in figure.controls.values()
        ]
        grids[name] = [dict(zip(figure.controls, at, strict=True)) for at in itertools.product(*spots)][:80]
    for k in range(max(map(len, grids.values()))):
        settings = {name: grid[k] for name, grid in grids.items() if k < len(grid)}
        put_all(page, settings)
        out = page.evaluate(
            """(names) => names.flatMap((name) => {
              const svg = document.querySelector(`figure.explore[data-name="${name}"] svg`);
              const room = svg.getBoundingClientRect(), out = [];
              for (const text of svg.querySelectorAll("text")) {
                const box = text.getBoundingClientRect();
                if (!box.width || getComputedStyle(text).display === "none") continue;
                const over = Math.max(room.left - box.left, box.right - room.right,
                                      room.top - box.top, box.bottom - room.bottom);
                const says = JSON.stringify(text.textContent);
                if (over > 2) out.push([name, `${says} by ${over.toFixed(1)} px`]);
              }
              return out;
            })""",
            list(settings),
        )
        faults += [f"figure {name} at {settings[name]}, {width} px: cuts off {text}" for name, text in out]
    assert not faults, "\n".join(dict.fromkeys(faults[:20]))


@pytest.mark.parametrize(("width", "mode"), [(390, "narrow"), (1280, "wide")])
def test_the_picture_fits_the_column(shown, truth, width, mode):
    page = shown
    found = page.evaluate("""() => [...document.querySelectorAll("figure.explore")].map((figure) => {
      const svg = figure.querySelector("svg"), box = svg.getBoundingClientRect();
      const said = ["viewBox", "role", "aria-label"].map((key) => svg.getAttribute(key));
      return [figure.dataset.name, box.left, box.right, figure.querySelector("figcaption").textContent, said];
    })""")
    for name, left, right, caption, (view, role, label) in found:
        widget = truth.figures[name].widget
        where = f"figure {name} at {width} px"
        assert view == re.search(r'viewBox="([^"]*)"', getattr(widget, mode))[1], where
        assert left >= 0 and right <= width, f"{where} is wider than the page"
        assert role == "img" and label == widget.spec["alt"], where
        assert caption.removeprefix("What this figure claims") == widget.spec["caption"], where
    assert len(found) == len(truth.figures)


def test_a_turned_phone_keeps_the_position(shown, truth):
    page, far = shown, {name: figure.positions[-1] for name, figure in truth.figures.items()}
    wide = read_all(page, far)
    put_all(page, {name: figure.start for name, figure in truth.figures.items()})
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate(FRAMES)
    put_all(page, far)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate(FRAMES)
    again = read_all(page, {name: {} for name in truth.figures})
    for name in truth.figures:
        assert again[name] == wide[name], f"figure {name} shows another position once it is wide"


def test_print_shows_the_picture_without_controls(shown, truth):
    page = shown
    put_all(page, {name: figure.start for name, figure in truth.figures.items()})
    page.emulate_media(media="print", color_scheme="dark")
    found = page.evaluate("""() => [...document.querySelectorAll("figure.explore")].map((figure) => {
      const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
      const printed = [...figure.querySelectorAll("svg, button, input")].filter(seen);
      const paper = getComputedStyle(figure).getPropertyValue("--nn-paper").trim();
      return [figure.dataset.name, printed.map((e) => e.tagName.toLowerCase()), figure.innerText, paper];
    })""")
    for name, printed, text, paper in found:
        assert printed == ["svg"], f"figure {name} prints {printed}"
        for control, c in truth.figures[name].controls.items():
            if c.kind == "slider":
                assert c.labels[c.start] in text, f"figure {name}: no value of {control}"
        assert paper == "#ffffff", f"figure {name} prints in the colors of a dark page"
    assert len(found) == len(truth.figures)


# --- Quizzes ---


def quiz_forms(page, name):
    return page.query_selector_all(f'section.quiz[data-name="{name}"] form')


def answer(form, question, text=None, option=None):
    """Answer by keyboard alone. Returns the result and what is said."""
    if text is not None:
        field = form.query_selector("input")
        field.press("Control+a")
        field.type(text)
    else:
        field = form.query_selector_all("input[type=radio]")[option]
        field.press("Space")
    field.press("Enter")
    return form.get_attribute("data-result"), form.query_selector("[aria-live]").text_content()


def test_quizzes(shown, truth):
    page = shown
    names = page.eval_on_selector_all("section.quiz", "all => all.map((quiz) => quiz.dataset.name)")
    assert sorted(names) == sorted(truth.quizzes)
    for name, widget in truth.quizzes.items():
        score = page.query_selector(f'section.quiz[data-name="{name}"] [role=status]')
        for form, q in zip(quiz_forms(page, name), widget.spec["questions"], strict=True):
            where = f"quiz {name}, {q['question']!r}"
            assert score.text_content() == "", f"{where}: the score comes too early"
            form.query_selector("button:text('Check')").click()
            assert form.get_attribute("data-result") == "open", f"{where}: nothing was answered"
            if "options" in q:
                order = [i for i in range(len(q["options"])) if i != q["right"]] + [q["right"]]
                for i in order:
                    result, said = answer(form, q, option=i)
                    assert result == ("right" if i == q["right"] else "wrong"), (
                        f"{where}: option {i} is {result}"
                    )
                    assert q["options"][i][1] in said, f"{where}: option {i} says {said!r}"
            else:
                result, said = answer(form, q, text="nonsense")
                assert result == "open", f"{where}: takes nonsense for an answer"
                off = q["answer"] + 2 * q["tolerance"] + 1
                result, said = answer(form, q, text=f"{off!r}")
                assert result == "wrong" and q["hint"] in said, f"{where}: {off} is {result}, says {said!r}"
                for text in (repr(q["answer"]), repr(q["answer"]).replace(".", ",").replace("-", "−")):
                    result, said = answer(form, q, text=text)
                    assert result == "right" and q["feedback"] in said, f"{where}: {text} is {result}"
        assert score.text_content() != "", f"quiz {name}: no score though all is right"


def test_quizzes_print_without_buttons(shown, truth):
    page = shown
    page.emulate_media(media="print")
    for name in truth.quizzes:
        for form in quiz_forms(page, name):
            buttons = form.query_selector_all("button")
            assert buttons and not any(button.is_visible() for button in buttons)
            assert form.query_selector("input").is_visible()
