// What the pages need beyond the theme; figures and quizzes bring their own. No dependency, no request.

// Over file:// a page cannot fetch the found pages to quote from them: list them without quotations.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS === "object")
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What a search quotes of a page is its prose, around the query as it was typed if it stands there: no title,
// no list of contents, no code, and no formula as it is written in LaTeX.
const NO_QUOTE = `header, nav, h1, .bd-header-article, #jb-print-docs-body, .toctree-wrapper, .chapter-facts, .alphabet,
  .cell, .highlight, div.math, .eqno, .prev-next-footer`;
if (typeof Search === "object") {
  const toText = Search.htmlToText, quote = Search.makeSearchSummary;
  Search.htmlToText = (html, anchor) => {
    const found = new DOMParser().parseFromString(html, "text/html");
    for (const part of found.querySelectorAll(NO_QUOTE)) part.remove();
    for (const end of found.querySelectorAll("dt, h2, h3, p, td, th, li")) end.append(" ");
    for (const formula of found.querySelectorAll(".math")) {
      const said = formula.textContent.replace(/^\\\(|\\\)$/g, "").trim();
      formula.textContent = /^[\w ,.=]+$/.test(said) ? said : "…";
    }
    return toText(found.documentElement.outerHTML, anchor).replace(/\s+/g, " ").trim();
  };
  Search.makeSearchSummary = (html, words, anchor) =>
    quote(html, [...words, new URLSearchParams(location.search).get("q").trim()], anchor);
}

// Whatever scrolls in its own box can be reached and scrolled by keyboard.
const BOXES = {
  'mjx-container[display="true"]': "Equation",
  "div.highlight > pre": "Code",
  ".pst-scrollable-table-container": "Table",
  ".cell_output .output": "Output",
};

function letKeysScroll() {
  for (const [selector, name] of Object.entries(BOXES)) {
    for (const box of document.querySelectorAll(selector)) {
      if (box.scrollWidth > box.clientWidth) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", `${name}, scrolls sideways`);
      } else if (box.getAttribute("role") === "group") {
        for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
      }
    }
  }
}

// The folded cells that make one figure or quiz are gathered under it, so that nothing stands between the question
// and the figure, and so are those that compute what the text then says. Other folded cells in a row become one fold.
// Without this script they stand where they are, one by one.
const SILENT = "div.cell.tag_hide-input:not(:has(> .cell_output))";

function gatherCode() {
  for (const output of document.querySelectorAll("div.cell.tag_hide-input > .cell_output")) {
    if (!output.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')) continue;
    const last = output.parentElement, makers = [last];
    for (let cell = last.previousElementSibling; cell?.matches(SILENT); cell = cell.previousElementSibling) makers.unshift(cell);
    const after = [];
    let next = last.nextElementSibling;
    for (; next?.matches(SILENT); next = next.nextElementSibling) after.push(next);
    if (!next?.matches("div.cell.tag_hide-input")) makers.push(...after); // else they make the next one
    const inputs = makers.map((cell) => cell.querySelector(":scope > details.hide > .cell_input")).filter(Boolean);
    const code = document.createElement("details"), title = document.createElement("summary");
    code.className = "hide code-below";
    title.textContent = `The code of ${last.textContent.includes("explore(") ? "this figure" : "these questions"}`;
    code.append(title, ...inputs);
    for (const cell of makers) {
      cell.querySelector(":scope > details.hide")?.remove();
      if (cell !== last) cell.remove();
    }
    last.append(code);
  }
  for (const cell of [...document.querySelectorAll(SILENT)].reverse()) {
    const before = cell.previousElementSibling;
    if (!before?.matches(SILENT)) continue;
    before.querySelector(":scope > details.hide").append(...cell.querySelectorAll(":scope > details.hide > .cell_input"));
    cell.remove();
  }
}
gatherCode();

// A prediction that is written down is one that can be wrong. It stays on the reader's machine.
function keepPredictions() {
  let store = null;
  try { store = localStorage; } catch { /* a browser that keeps nothing: the field still serves while the page is open */ }
  document.querySelectorAll(".admonition.predict").forEach((box, i) => {
    const key = `prediction:${location.pathname.split("/").pop()}:${i + 1}`;
    const label = document.createElement("label"), field = document.createElement("textarea");
    label.className = "prediction";
    field.rows = 1;
    field.placeholder = " "; // lets the print sheet tell an empty field
    field.value = store?.getItem(key) ?? "";
    field.oninput = () => {
      try { field.value ? store?.setItem(key, field.value) : store?.removeItem(key); } catch { /* full */ }
    };
    label.append("Your prediction ", field);
    box.append(label);
  });
}
keepPredictions();

// A caption states what its figure claims. Where the reader was asked for a prediction first, it is folded away until
// he has moved something.
function holdClaims() {
  const figures = [...document.querySelectorAll("figure.explore")];
  for (const box of document.querySelectorAll(".admonition.predict")) {
    const figure = figures.find((f) => box.compareDocumentPosition(f) & Node.DOCUMENT_POSITION_FOLLOWING);
    const caption = figure?.querySelector("figcaption:not(:has(details))");
    if (!caption || !figure.querySelector("[data-control]")) continue;
    const claim = document.createElement("details"), title = document.createElement("summary");
    title.textContent = "What this figure claims";
    claim.append(title, ...caption.childNodes);
    caption.append(claim);
    const show = () => { claim.open = true; };
    if (location.hash.slice(1).split(";").some((part) => part.startsWith(`${figure.dataset.name}:`))) show();
    figure.addEventListener("explore-moved", show, { once: true });
  }
}

// Without this a comma after a formula may begin the next line.
function keepPunctuation() {
  for (const formula of document.querySelectorAll(".bd-article mjx-container:not([display])")) {
    const span = formula.closest("span.math"), text = span?.nextSibling;
    const signs = text?.nodeType === Node.TEXT_NODE && /^[,.;:!?)\u2019]+/.exec(text.data)?.[0];
    if (!signs) continue;
    const whole = document.createElement("span");
    whole.className = "unbroken";
    span.replaceWith(whole);
    whole.append(span, signs);
    text.data = text.data.slice(signs.length);
  }
}

// In the title of a solution only the arrow acts: the link to its exercise, just above, would be in the way.
for (const link of document.querySelectorAll(".admonition.solution > .admonition-title a")) link.replaceWith(...link.childNodes);

// A link to a solution opens its fold, also when it is followed a second time.
function openFold(hash) {
  const place = document.getElementById(hash.slice(1)); // labels are plain words
  const fold = place?.closest(".admonition.toggle-hidden");
  fold?.querySelector("button.toggle-button").click();
}
addEventListener("hashchange", () => openFold(location.hash));
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  if (link) openFold(link.hash);
});

// On the map, the chapter under the pointer or the focus is shown with all that it rests on.
for (const map of document.querySelectorAll(".chapter-map")) {
  const light = (entry) => {
    const path = new Set(entry ? [entry.dataset.chapter, ...entry.dataset.rests.split(" ")] : []);
    map.classList.toggle("choosing", path.size > 0);
    for (const item of map.querySelectorAll("li")) item.classList.toggle("lit", path.has(item.dataset.chapter));
    for (const line of map.querySelectorAll("path"))
      line.classList.toggle("lit", path.has(line.dataset.from) && path.has(line.dataset.to));
  };
  for (const kind of ["pointerover", "focusin"]) map.addEventListener(kind, (event) => light(event.target.closest("li")));
  for (const kind of ["pointerleave", "focusout"]) map.addEventListener(kind, () => light(null));
}

// Paper is light, and on it everything stands open but the code of the figures and questions; afterwards the page is
// as it was.
const root = document.documentElement;
let opened = [], theme = root.dataset.theme;
addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
  opened = [...document.querySelectorAll("details:not([open]):not(.code-below)")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  root.dataset.theme = theme;
  for (const details of opened) details.open = false;
});

// Tests wait for this: mathematics typeset, boxes reachable.
window.nnPageReady = (async () => {
  if (document.readyState !== "complete") await new Promise((go) => addEventListener("load", go, { once: true }));
  await window.MathJax?.startup?.promise;
  keepPunctuation();
  await window.nnReady;
  holdClaims();
  letKeysScroll();
  if (location.hash) openFold(location.hash);
  let waiting = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(letKeysScroll);
  }).observe(document.body);
})();
