// Runs the book's widgets in the plain page, with no kernel: myst-nb leaves the state of every widget in the
// head and a marker where each is shown; this gives each widget's own module anywidget's { model, el, signal }.
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  class Model {
    constructor({ state, buffers = [] }) {
      this.state = state;
      for (const { path, data } of buffers) {
        const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
        owner[path.at(-1)] = new DataView(bytesOf(data).buffer);
      }
      this.listeners = new Map();
    }
    get(key) { return this.state[key]; }
    set(key, value) {
      this.state[key] = value;
      for (const event of [`change:${key}`, "change"]) for (const f of this.listeners.get(event) ?? []) f();
    }
    on(event, f) { this.listeners.set(event, [...(this.listeners.get(event) ?? []), f]); }
    off(event, f) { this.listeners.set(event, (this.listeners.get(event) ?? []).filter((g) => g !== f)); }
    save_changes() {} // there is no kernel to tell
    send() {}
  }

  const models = new Map(), modules = new Map();

  function load(source) {
    if (!modules.has(source)) modules.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
    return modules.get(source);
  }

  async function mount(marker) {
    const el = document.createElement("div");
    el.className = "nn-widget";
    el.dataset.host = "page";
    marker.after(el);
    try {
      const model = models.get(JSON.parse(marker.textContent).model_id);
      if (!model?.get("_esm")) throw new Error("the page holds no state for it");
      await (await load(model.get("_esm"))).default.render({ model, el, signal: new AbortController().signal });
    } catch (error) {
      console.error(error);
      el.textContent = `This figure could not start: ${error.message}.`;
    }
  }

  for (const script of document.querySelectorAll(STATE)) {
    for (const [id, record] of Object.entries(JSON.parse(script.textContent).state)) models.set(id, new Model(record));
  }
  window.nnReady = Promise.all([...document.querySelectorAll(VIEW)].map(mount)); // for page.js, and for tests
})();
