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

/** Undo explore.py's _pack: low and high bytes apart, differences along both axes. */
function unpack(bytes, { at, n }, count) {
  const size = count * n, from = 2 * at, out = new Int16Array(size);
  for (let i = 0; i < size; i++) out[i] = bytes[from + i] | (bytes[from + size + i] << 8);
  for (let i = n; i < size; i++) out[i] += out[i - n];
  for (let k = 0; k < count; k++) for (let i = k * n + 1; i < (k + 1) * n; i++) out[i] += out[i - 1];
  return out;
}

/** An 8-bit bitmap as an address: no canvas, no encoder, one string. */
function bitmap(levels, from, width, height, palette) {
  const colors = palette.length / 6, stride = (width + 3) & ~3, start = 54 + 4 * colors;
  const bytes = new Uint8Array(start + stride * height), head = new DataView(bytes.buffer);
  bytes.set([66, 77]);
  for (const [at, value] of [[2, bytes.length], [10, start], [14, 40], [18, width], [22, height], [46, colors]]) {
    head.setUint32(at, value, true);
  }
  head.setUint16(26, 1, true);
  head.setUint16(28, 8, true);
  for (let i = 0; i < colors; i++) {
    const rgb = parseInt(palette.slice(6 * i, 6 * i + 6), 16);
    head.setUint32(54 + 4 * i, rgb, true);
  }
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      bytes[start + (height - 1 - row) * stride + col] = levels[from + row * width + col];
    }
  }
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return "data:image/bmp;base64," + btoa(text);
}

const tenth = (v) => Math.round(v * 10) / 10;

/** One layer of a moving artist: the elements it owns, and how a position is painted on them. */
class Layer {
  constructor(spec, bytes, count) {
    Object.assign(this, spec);
    this.points = unpack(bytes, spec.at, count);
    this.which = spec.looksAt && unpack(bytes, spec.looksAt, count);
    this.levels = spec.levelsAt && unpack(bytes, spec.levelsAt, count);
  }

  /** Build the elements in `group`; `box` is [x, y, width, height] in the units of the SVG. */
  mount(group, box, uid) {
    this.box = box;
    const tag = this.kind === "image" ? "image" : this.kind === "text" ? "text" : "path";
    const many = tag === "path" ? this.looks.length : 1;
    this.nodes = Array.from({ length: many }, (_, i) => {
      const node = document.createElementNS(SVG, tag);
      node.setAttribute("style", this.looks[i][0]);
      if (this.looks[i][0].includes("--arrow")) node.setAttribute("marker-end", `url(#${uid}-arrow)`);
      if (tag === "image") node.setAttribute("preserveAspectRatio", "none");
      return node;
    });
    group.append(...this.nodes);
    this.last = this.nodes.map(() => "");
  }

  paint(k) {
    if (this.kind === "image") this.paintImage(k);
    else if (this.kind === "text") this.paintText(k);
    else this.paintPaths(k);
  }

  paintPaths(k) {
    const [x0, y0, w, h] = this.box, sx = w / UNIT, sy = h / UNIT, bottom = y0 + h;
    const { pieces, length: n, points, which, kind, looks } = this;
    const d = this.nodes.map(() => ""), base = k * 2 * pieces * n, gapY = pieces * n;
    for (let piece = 0; piece < pieces; piece++) {
      const look = which ? which[k * pieces + piece] : 0;
      const shape = looks[look][1];
      let out = "", pen = "M";
      for (let i = base + piece * n, end = i + n; i < end; i++) {
        const x = points[i];
        if (x === GAP) {
          if (kind === "shapes" && pen === "L") out += "Z";
          pen = "M";
          continue;
        }
        const at = tenth(x0 + x * sx) + " " + tenth(bottom - points[i + gapY] * sy);
        if (kind === "marks") out += "M" + at + shape;
        else {
          out += pen + at;
          pen = "L";
        }
      }
      if (kind === "shapes" && pen === "L") out += "Z";
      d[look] += out;
    }
    d.forEach((path, i) => {
      if (path === this.last[i]) return;
      this.nodes[i].setAttribute("d", path);
      this.last[i] = path;
    });
  }

  paintText(k) {
    const [x0, y0, w, h] = this.box, [css, said] = this.looks[this.which ? this.which[k] : 0], [node] = this.nodes;
    const x = this.points[2 * k], y = this.points[2 * k + 1];
    const show = x !== GAP && said && css !== "display:none";
    node.setAttribute("style", show ? css : "display:none");
    if (!show) return;
    const left = tenth(x0 + (x * w) / UNIT), rows = said.split("\n");
    const size = parseFloat(/font-size:([\d.]+)/.exec(css)[1]), lift = parseFloat(/--lift:([\d.]+)/.exec(css)[1]);
    const up = lift === 0 ? (rows.length - 1) * 1.2 : lift === 0.35 ? (rows.length - 1) * 0.6 : 0;
    node.setAttribute("x", left);
    node.setAttribute("y", tenth(y0 + h - (y * h) / UNIT + (lift - up) * size));
    if (rows.length === 1) node.textContent = said;
    else {
      node.replaceChildren(...rows.map((row, i) => {
        const line = document.createElementNS(SVG, "tspan");
        line.textContent = row;
        line.setAttribute("x", left);
        if (i) line.setAttribute("dy", "1.2em");
        return line;
      }));
    }
  }

  paintImage(k) {
    const [x0, y0, w, h] = this.box, [node] = this.nodes, at = k * 2 * this.pieces * this.length;
    const look = this.which ? this.which[k * this.pieces] : 0, [css, palette] = this.looks[look];
    node.setAttribute("style", css);
    if (css === "display:none") return;
    const plane = this.pieces * this.length;
    const left = x0 + (this.points[at] * w) / UNIT, right = x0 + (this.points[at + 1] * w) / UNIT;
    const top = y0 + h - (this.points[at + plane] * h) / UNIT;
    const bottom = y0 + h - (this.points[at + plane + 1] * h) / UNIT;
    const box = { x: left, y: top, width: right - left, height: bottom - top };
    for (const [key, value] of Object.entries(box)) node.setAttribute(key, tenth(value));
    const [rows, cols] = this.size;
    const href = bitmap(this.levels, k * rows * cols, cols, rows, palette);
    if (href !== this.last[0]) node.setAttribute("href", href);
    this.last[0] = href;
  }
}

/** What the address says of this figure: "#descent:lr=0.1,start=2;other:..." -> {lr: 3, start: 12}. */
function readHash(hash, spec) {
  const parts = decodeURIComponent(hash.replace(/^#/, "")).split(";");
  const mine = parts.find((part) => part.startsWith(spec.name + ":"));
  if (!mine) return null;
  const index = {};
  for (const pair of mine.slice(spec.name.length + 1).split(",")) {
    const [name, said] = pair.split("=");
    const control = spec.controls.find((c) => c.name === name.trim());
    if (!control || said === undefined) continue;
    const wanted = said.trim();
    if (control.kind === "choice") {
      const at = control.labels.indexOf(wanted);
      if (at >= 0) index[control.name] = at;
    } else if (Number.isFinite(parseFloat(wanted))) {
      const off = control.values.map((v) => Math.abs(v - parseFloat(wanted)));
      index[control.name] = off.indexOf(Math.min(...off));
    }
  }
  return Object.keys(index).length ? index : null;
}

/** Write this figure's setting into the address, beside those of the page's other figures. */
function writeHash(spec, index) {
  const rest = decodeURIComponent(location.hash.slice(1)).split(";")
    .filter((part) => part.includes(":") && !part.startsWith(spec.name + ":"));
  const moved = spec.controls.filter((c) => index[c.name] !== c.start);
  if (moved.length) rest.push(spec.name + ":" + moved.map((c) => `${c.name}=${c.values[index[c.name]]}`).join(","));
  const hash = rest.length ? "#" + rest.map(encodeURI).join(";") : location.pathname + location.search;
  history.replaceState(history.state, "", hash);
}

class Figure {
  constructor(model, el, signal, bytes) {
    this.model = model;
    this.spec = model.get("spec");
    this.signal = signal;
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
    const { spec } = this, id = spec.name;
    this.picture = make("div", { className: "explore-picture" });
    this.says = make("p", { className: "explore-says", id: `${id}-says` });
    this.spoken = make("p", { className: "explore-spoken", "aria-live": "polite" });
    this.controls = make("div", { className: "explore-controls", role: "group", "aria-label": "Controls of the figure" });
    this.inputs = new Map(spec.controls.map((c) => [c.name, c.kind === "choice" ? this.choose(c) : this.slide(c)]));
    if (spec.controls.length) {
      const reset = make("button", { type: "button", className: "explore-reset", textContent: "Reset" });
      reset.onclick = () => this.set(Object.fromEntries(spec.controls.map((c) => [c.name, c.start])));
      this.controls.append(reset);
    }
    const figure = make("figure", { className: "explore", id }, this.picture);
    figure.dataset.name = id;
    if (spec.controls.length) figure.append(this.controls);
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
    const title = make("span", { className: "explore-title", textContent: c.title, ariaHidden: "true" });
    const row = make("div", { className: "explore-row" }, title, input, value);
    if (c.play) {
      const play = make("button", { type: "button", className: "explore-play", textContent: "Play" });
      play.setAttribute("aria-label", `Play ${c.title}`);
      play.onclick = () => (this.playing === c ? this.stop() : this.play(c, play));
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
      const title = make("span", { className: "explore-title", textContent: c.title, ariaHidden: "true" });
      this.controls.append(make("div", { className: "explore-row" }, title, select));
      return (i) => { select.value = i; };
    }
    const group = `${this.spec.name}-${c.name}-${Math.random().toString(36).slice(2)}`;
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
    this.picture.innerHTML = this.model.get(mode);
    const svg = this.picture.querySelector("svg"), { spec } = this;
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", spec.alt);
    if (spec.says.some(Boolean)) svg.setAttribute("aria-describedby", `${spec.name}-says`);
    const boxes = spec.boxes[mode];
    const clips = boxes.map(([x, y, width, height], i) =>
      `<clipPath id="${spec.name}-box${i}"><rect x="${x}" y="${y}" width="${width}" height="${height}"/></clipPath>`);
    svg.insertAdjacentHTML("afterbegin", `<defs>${clips.join("")}<marker id="${spec.name}-arrow" viewBox="0 0 8 8"
      refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 .5 8 4 0 7.5z" fill="context-stroke"/></marker></defs>`);
    this.movers.forEach((mover, i) => {
      const group = svg.querySelector(`[id="${spec.name}-move${i}"]`);
      if (mover.clip) group.setAttribute("clip-path", `url(#${spec.name}-box${mover.box})`);
      for (const layer of mover.layers) layer.mount(group, boxes[mover.box], spec.name);
    });
    this.painted = null;
    this.paint();
  }

  follow() {
    const { signal, spec } = this;
    const resize = new ResizeObserver(() => this.fit());
    resize.observe(this.picture);
    signal?.addEventListener("abort", () => { resize.disconnect(); this.stop(); });
    this.model.on("change:index", () => this.show(this.model.get("index")));
    addEventListener("hashchange", () => this.visit(location.hash), { signal });
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href*='#']");
      const hash = link && link.getAttribute("href").replace(/^[^#]*/, "");
      if (hash && readHash(hash, spec)) {
        event.preventDefault();
        this.visit(hash);
      }
    }, { signal, capture: true });
    for (const [name, show] of this.inputs) show(this.index[name]);
    if (this.inPage) this.visit(location.hash);
    this.figure.dataset.state = "ready";
  }

  visit(hash) {
    const index = readHash(hash, this.spec);
    if (!index) return;
    this.stop();
    this.set(index);
    const { top, bottom } = this.figure.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.figure.scrollIntoView({ block: bottom - top < innerHeight ? "center" : "start", behavior: calm ? "auto" : "smooth" });
    }
  }

  /** The reader moved something: show it, tell Python, remember it in the address. */
  set(index) {
    this.show(index);
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.model.set("index", { ...this.index });
      this.model.save_changes();
      if (this.inPage) writeHash(this.spec, this.index);
      this.spoken.textContent = this.says.textContent;
    }, 250);
  }

  show(index) {
    for (const [name, i] of Object.entries(index)) {
      if (this.index[name] === i && this.painted !== null) continue;
      this.index[name] = i;
      this.inputs.get(name)(i);
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
    this.playing = c;
    this.button = button;
    button.textContent = "Stop";
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
    if (this.button) this.button.textContent = "Play";
    this.playing = this.button = null;
  }
}

export default {
  async render({ model, el, signal }) {
    const view = model.get("data");
    new Figure(model, el, signal, await inflate(view));
  },
};
