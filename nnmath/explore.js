// The live figure in the page and in the notebook. Python made the picture (explore.py); this puts native
// controls under it and, on input, sets the attributes of the few elements that move.

const UNIT = 8192, GAP = -32768;
const SVG = "http://www.w3.org/2000/svg";

/** An element with properties and children, in one call. */
function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

async function inflate(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undo artists.py's pack: how each number changes over the positions -> all numbers of each position. */
function unpack(bytes, { at, n }, count) {
  const size = count * n, from = 2 * at, out = new Int16Array(size);
  for (let i = 0; i < n; i++) {
    for (let k = 0, value = 0; k < count; k++) {
      const here = from + i * count + k;
      out[k * n + i] = value += bytes[here] | (bytes[here + size] << 8);
    }
  }
  return out;
}

/** Colors as "rrggbbaa" one after the other -> the 32-bit pixels of a bitmap. */
function pixelsOf(palette) {
  return Uint32Array.from({ length: palette.length / 8 }, (_, i) => {
    const rgba = parseInt(palette.slice(8 * i, 8 * i + 8), 16);
    return (rgba >>> 8) | (rgba << 24);
  });
}

/** A bitmap as an address: no canvas, no encoder, one string. */
function bitmap(levels, from, [height, width], palette) {
  const start = 124, size = width * height, buffer = new ArrayBuffer(start + 4 * size), head = new DataView(buffer);
  head.setUint16(0, 0x424d); // "BM", then a version 4 header: 32 bits a pixel, with opacity, rows from the top
  for (const [at, value] of [
    [2, buffer.byteLength], [10, start], [14, 108], [18, width], [22, -height], [26, (32 << 16) | 1], [30, 3],
    [34, 4 * size], [54, 0xff0000], [58, 0xff00], [62, 0xff], [66, 0xff000000], [70, 0x73524742],
  ]) head.setUint32(at, value, true);
  const pixels = new Uint32Array(buffer, start);
  for (let i = 0; i < size; i++) pixels[i] = palette[levels[from + i]];
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return "data:image/bmp;base64," + btoa(text);
}

// Numbers become text ten thousand times a second here; looking the text up is quicker than writing it.
const TENTHS = Array.from({ length: 8000 }, (_, i) => String(i / 10));
const tenth = (v) => TENTHS[Math.round(v * 10)] ?? String(Math.round(v * 10) / 10);
const HIDDEN = "display:none";

/** One layer of a moving artist: the elements it owns, and how a position is painted on them. */
class Layer {
  constructor(spec, bytes, count) {
    Object.assign(this, spec);
    this.points = unpack(bytes, spec.at, count);
    this.which = spec.looksAt && unpack(bytes, spec.looksAt, count);
    this.levels = spec.levelsAt && unpack(bytes, spec.levelsAt, count);
    this.palettes = spec.kind === "image" ? spec.looks.map(([, palette]) => pixelsOf(palette)) : [];
    this.tag = spec.kind === "image" ? "image" : spec.kind === "text" ? "text" : "path";
  }

  /** Start afresh in `group`, in a box of the SVG. */
  mount(group, box, uid) {
    Object.assign(this, { group: group.appendChild(document.createElementNS(SVG, "g")), box, uid, slots: [], href: "" });
  }

  /** The i-th element of this layer, made when it is first needed, in the given look. */
  slot(i, look) {
    const slot = (this.slots[i] ??= { node: this.group.appendChild(document.createElementNS(SVG, this.tag)) });
    if (slot.look !== look) {
      const css = this.looks[look]?.[0] ?? HIDDEN;
      slot.node.setAttribute("style", css);
      if (css.includes("--arrow")) slot.node.setAttribute("marker-end", `url(#${this.uid}arrow)`);
      slot.look = look;
    }
    return slot;
  }

  paint(k) {
    if (this.tag === "path") this.paintPaths(k);
    else {
      const look = this.which ? this.which[k * this.pieces] : 0, slot = this.slot(0, look);
      if (this.looks[look][0] !== HIDDEN) this[this.tag](k, slot.node, this.looks[look][1], look);
    }
  }

  /** Steps of the box -> units of the SVG. */
  x(steps) { return tenth(this.box.left + (steps * this.box.width) / UNIT); }
  y(steps) { return tenth(this.box.top + this.box.height - (steps * this.box.height) / UNIT); }

  /** The i-th point, or null where there is none. */
  point(k, i) {
    const n = this.pieces * this.length, at = 2 * n * k + i;
    return this.points[at] === GAP ? null : [this.x(this.points[at]), this.y(this.points[at + n])];
  }

  paintPaths(k) {
    const { pieces, length, points, which, kind, looks } = this, n = pieces * length;
    const { xs, ys } = this.box;
    const drawn = new Map(); // look -> path: what looks alike is one element
    for (let piece = 0; piece < pieces; piece++) {
      const look = which ? which[k * pieces + piece] : 0, shape = looks[look][1];
      if (looks[look][0] === HIDDEN) continue;
      let out = drawn.get(look) ?? "", pen = "M";
      const first = 2 * n * k + piece * length;
      for (let i = first; i < first + length; i++) {
        if (points[i] === GAP) {
          if (kind === "shapes" && pen === "L") out += "Z";
          pen = "M";
          continue;
        }
        const x = points[i], y = points[i + n];
        const at = (xs[x] ??= this.x(x) + " ") + (ys[y] ??= this.y(y) + "");
        out += kind === "marks" ? "M" + at + shape : pen + at;
        pen = "L";
      }
      drawn.set(look, kind === "shapes" && pen === "L" ? out + "Z" : out);
    }
    let i = 0;
    for (const [look, path] of drawn) {
      const slot = this.slot(i++, look);
      if (slot.path !== path) slot.node.setAttribute("d", (slot.path = path));
    }
    while (i < this.slots.length) this.slot(i++, -1);
  }

  text(k, node, said, look) {
    const at = this.point(k, 0), lift = /--lift:([-\d.]+)/.exec(this.looks[look][0])[1];
    if (!at) return node.replaceChildren();
    const rows = said.split("\n");
    while (node.childElementCount > rows.length) node.lastChild.remove();
    rows.forEach((row, i) => {
      const line = node.children[i] ?? node.appendChild(document.createElementNS(SVG, "tspan"));
      if (line.textContent !== row) line.textContent = row;
      line.setAttribute("x", at[0]);
      line.setAttribute("dy", i ? "1.2em" : `${lift}em`);
    });
    node.setAttribute("y", at[1]);
  }

  image(k, node, _, look) {
    const [left, top] = this.point(k, 0), [right, bottom] = this.point(k, 1);
    const box = { x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none" };
    for (const [key, value] of Object.entries(box)) node.setAttribute(key, value);
    const href = bitmap(this.levels, k * this.size[0] * this.size[1], this.size, this.palettes[look]);
    if (href !== this.href) node.setAttribute("href", (this.href = href));
  }
}

const plain = (text) => { try { return decodeURIComponent(text); } catch { return text; } };

/** The position of a control nearest to what the address says, or -1. */
function nearest(control, said) {
  if (control.kind === "choice") return control.labels.indexOf(said);
  if (said === "" || !Number.isFinite(+said)) return -1;
  const off = control.values.map((v) => Math.abs(v - said));
  return off.indexOf(Math.min(...off));
}

/** What the address says of this figure: "#descent:lr=0.1,start=2;other:..." -> {lr: 3, start: 12}. */
function readHash(hash, spec) {
  const mine = hash.replace(/^#/, "").split(";").find((part) => part.startsWith(spec.name + ":"));
  if (!mine) return null;
  const index = {};
  for (const pair of mine.slice(spec.name.length + 1).split(",")) {
    const [name, said] = pair.split("=").map((half) => plain(half).trim());
    const control = spec.controls.find((c) => c.name === name), at = control ? nearest(control, said ?? "") : -1;
    if (at >= 0) index[name] = at;
  }
  return Object.keys(index).length ? index : null;
}

/** A value as briefly as it can be said and still be found again. */
function brief(control, i) {
  if (control.kind === "choice") return encodeURIComponent(control.labels[i]);
  for (let digits = 1; ; digits++) {
    const said = String(+control.values[i].toPrecision(digits));
    if (digits > 15 || nearest(control, said) === i) return said;
  }
}

/** Write this figure's setting into the address, beside those of the page's other figures. */
function writeHash(spec, index) {
  const parts = location.hash.slice(1).split(";").filter((part) => part.includes(":") && !part.startsWith(spec.name + ":"));
  const moved = spec.controls.filter((c) => index[c.name] !== c.start);
  if (moved.length) parts.push(spec.name + ":" + moved.map((c) => `${c.name}=${brief(c, index[c.name])}`).join(","));
  history.replaceState(history.state, "", parts.length ? "#" + parts.join(";") : location.pathname + location.search);
}

let views = 0;

class Figure {
  constructor(model, el, signal, bytes) {
    this.model = model;
    this.spec = model.get("spec");
    this.signal = signal;
    this.uid = `${this.spec.name}-${++views}-`; // a notebook may show one figure twice
    this.inPage = el.dataset.host === "page";
    this.index = { ...model.get("index") };
    this.movers = this.spec.movers.map((mover) => ({
      ...mover, layers: mover.layers.map((layer) => new Layer(layer, bytes, this.spec.count)),
    }));
    this.build(el);
    this.fit();
    this.follow();
  }

  build(el) {
    const { spec } = this;
    this.picture = make("div", { className: "explore-picture" });
    this.says = make("p", { className: "explore-says", id: `${this.uid}says` });
    this.spoken = make("p", { className: "explore-spoken", "aria-live": "polite" });
    this.controls = make("div", { className: "explore-controls", role: "group", "aria-label": "Controls of the figure" });
    this.inputs = new Map(spec.controls.map((c) => [c.name, c.kind === "choice" ? this.choose(c) : this.slide(c)]));
    if (spec.controls.length) {
      const reset = make("button", { type: "button", className: "explore-reset", textContent: "Reset" });
      reset.onclick = () => this.set(Object.fromEntries(spec.controls.map((c) => [c.name, c.start])));
      this.reset = reset;
    }
    const figure = make("figure", { className: "explore" }, this.picture);
    figure.dataset.name = spec.name;
    if (!document.getElementById(spec.name)) figure.id = spec.name;
    if (spec.controls.length) figure.append(this.controls, this.reset);
    if (spec.says.some(Boolean)) figure.append(this.says);
    figure.append(this.spoken, make("figcaption", { textContent: spec.caption }));
    el.append(figure);
    this.figure = figure;
  }

  slide(c) {
    const value = make("output", { className: "explore-value" });
    const input = make("input", { type: "range", min: 0, max: c.values.length - 1, value: c.start, "aria-label": c.title });
    input.dataset.control = c.name;
    input.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes the arrow keys for itself
    input.oninput = () => { this.stop(); this.set({ [c.name]: +input.value }); };
    const title = make("span", { className: "explore-title", textContent: c.title, "aria-hidden": "true" });
    const row = make("div", { className: "explore-row" }, title, input, value);
    if (c.play) {
      const play = make("button", { type: "button", className: "explore-play", textContent: "Play" });
      play.setAttribute("aria-label", `Play ${c.title}`);
      play.onclick = () => (this.button === play ? this.stop() : this.play(c, play));
      row.append(play);
    }
    this.controls.append(row);
    return (i) => {
      input.value = i;
      value.textContent = c.labels[i];
      input.setAttribute("aria-valuetext", c.labels[i]);
    };
  }

  choose(c) {
    if (c.labels.length > 5) {
      const options = c.labels.map((label, i) => make("option", { value: i, textContent: label }));
      const select = make("select", { "aria-label": c.title }, ...options);
      select.dataset.control = c.name;
      select.dataset.lmSuppressShortcuts = "true";
      select.onchange = () => { this.stop(); this.set({ [c.name]: +select.value }); };
      const title = make("span", { className: "explore-title", textContent: c.title, "aria-hidden": "true" });
      this.controls.append(make("div", { className: "explore-row" }, title, select));
      return (i) => { select.value = i; };
    }
    const group = this.uid + c.name;
    const radios = c.labels.map((label, i) => {
      const radio = make("input", { type: "radio", name: group, value: i });
      radio.dataset.control = c.name;
      radio.dataset.lmSuppressShortcuts = "true";
      radio.onchange = () => { this.stop(); this.set({ [c.name]: i }); };
      return radio;
    });
    const labels = radios.map((radio, i) => make("label", {}, radio, c.labels[i]));
    const legend = make("legend", { className: "explore-title", textContent: c.title });
    this.controls.append(make("fieldset", { className: "explore-row explore-choice" }, legend, ...labels));
    return (i) => { radios[i].checked = true; };
  }

  /** Choose the picture that fits the column, and put the moving elements into it. */
  fit() {
    const mode = this.picture.clientWidth && this.picture.clientWidth < 520 ? "narrow" : "wide";
    if (mode === this.mode) return;
    this.mode = mode;
    const { spec, uid } = this;
    // xs and ys keep the coordinates that have been written: each is looked up much quicker than it is written.
    const boxes = spec.boxes[mode].map(([left, top, width, height]) => ({ left, top, width, height, xs: {}, ys: {} }));
    this.picture.innerHTML = this.model.get(mode).replace(/\b(id="|href="#|url\(#)/g, `$1${uid}`);
    const svg = this.picture.querySelector("svg");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", spec.alt);
    if (spec.says.some(Boolean)) svg.setAttribute("aria-describedby", `${uid}says`);
    const clips = boxes.map(({ left, top, width, height }, i) =>
      `<clipPath id="${uid}box${i}"><rect x="${left}" y="${top}" width="${width}" height="${height}"/></clipPath>`);
    svg.insertAdjacentHTML("afterbegin", `<defs>${clips.join("")}<marker id="${uid}arrow" viewBox="0 0 8 8"
      refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 .5 8 4 0 7.5z" fill="context-stroke"/></marker></defs>`);
    this.movers.forEach((mover, i) => {
      const group = svg.getElementById(`${uid}move${i}`);
      if (mover.clip) group.setAttribute("clip-path", `url(#${uid}box${mover.box})`);
      for (const layer of mover.layers) layer.mount(group, boxes[mover.box], uid);
    });
    this.painted = null;
    this.paint();
  }

  follow() {
    const { signal, spec } = this;
    const resize = new ResizeObserver(() => this.fit());
    resize.observe(this.picture);
    const moved = () => this.show({ ...this.model.get("index"), ...this.mine });
    this.model.on("change:index", moved);
    signal.addEventListener("abort", () => { resize.disconnect(); this.stop(); this.model.off("change:index", moved); });
    addEventListener("hashchange", () => this.visit(location.hash, false), { signal }); // Back finds its own place
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href*='#']");
      if (!link || link.pathname !== location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (readHash(link.hash, spec)) {
        event.preventDefault();
        if (this.inPage) history.pushState(null, "", location.href); // so that Back leads to the sentence again
        this.visit(link.hash);
      }
    }, { signal, capture: true });
    for (const [name, show] of this.inputs) show(this.index[name]);
    this.figure.dataset.state = "ready";
    if (this.inPage) this.visit(location.hash);
  }

  visit(hash, scroll = true) {
    const index = readHash(hash, this.spec);
    if (!index) return;
    this.stop();
    this.set(index);
    const { top, bottom } = this.figure.getBoundingClientRect();
    if (scroll && (top < 0 || bottom > innerHeight)) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.figure.scrollIntoView({ block: bottom - top < innerHeight ? "nearest" : "start", behavior: calm ? "auto" : "smooth" });
    }
  }

  /** The reader moved something: show it, tell Python, remember it in the address. */
  set(index) {
    this.show(index);
    this.figure.dispatchEvent(new Event("explore-moved"));
    this.mine = { ...this.mine, ...index }; // what the other views of this figure have not heard of yet
    this.figure.dataset.state = "moving";
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.model.set("index", { ...this.model.get("index"), ...this.mine });
      this.mine = {};
      this.model.save_changes();
      if (this.inPage) writeHash(this.spec, this.index);
      this.spoken.textContent = this.says.textContent;
      this.figure.dataset.state = "ready";
    }, 250);
  }

  show(index) {
    for (const [name, i] of Object.entries(index)) {
      if (this.index[name] === i && this.painted !== null) continue;
      this.index[name] = i;
      this.inputs.get(name)?.(i);
    }
    if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const { spec } = this;
    const k = spec.controls.reduce((sum, c) => sum * c.values.length + this.index[c.name], 0);
    if (k === this.painted) return;
    this.painted = k;
    for (const mover of this.movers) for (const layer of mover.layers) layer.paint(k);
    this.says.textContent = spec.says[spec.saysAt[k]];
  }

  play(c, button) {
    this.stop();
    this.button = button;
    button.textContent = "Stop";
    button.setAttribute("aria-label", `Stop ${c.title}`);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pause = Math.max(calm ? 600 : 40, 5000 / c.values.length), last = c.values.length - 1;
    if (this.index[c.name] === last) this.set({ [c.name]: 0 });
    this.timer = setInterval(() => {
      const next = this.index[c.name] + 1;
      if (next <= last) this.set({ [c.name]: next });
      if (next >= last) this.stop();
    }, pause);
  }

  stop() {
    clearInterval(this.timer);
    if (!this.button) return;
    this.button.textContent = "Play";
    this.button.setAttribute("aria-label", this.button.getAttribute("aria-label").replace("Stop", "Play"));
    this.button = null;
  }
}

export default {
  async render({ model, el }) {
    const end = new AbortController();
    new Figure(model, el, end.signal, await inflate(model.get("data")));
    return () => end.abort();
  },
};
