// The quiz in the page and in the notebook: native fields, one form for each question, answers from quiz.py.

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

let views = 0;

/** "0,25", "−3" or "1e-3" as a number; NaN for anything else. */
const numberOf = (text) => (text.trim() ? Number(text.trim().replace(",", ".").replace("\u2212", "-")) : NaN);

/** The fields of a question, and a function: null if nothing was answered, else [right, what to say]. */
function choiceFields(q, group) {
  const radios = q.options.map((_, i) => make("input", { type: "radio", name: group, value: i }));
  const labels = q.options.map(([answer], i) => make("label", {}, radios[i], answer));
  const fields = make("fieldset", {}, make("legend", { textContent: q.question }), ...labels);
  return [fields, () => {
    const chosen = radios.findIndex((radio) => radio.checked);
    return chosen < 0 ? null : [chosen === q.right, q.options[chosen][1]];
  }];
}

function numberFields(q, group) {
  const input = make("input", { type: "text", inputMode: "decimal", id: group, autocomplete: "off", size: 10 });
  const label = make("label", { htmlFor: group, textContent: q.question });
  return [make("div", { className: "quiz-number" }, label, make("span", {}, input, q.unit && ` ${q.unit}`)), () => {
    const said = numberOf(input.value);
    if (Number.isNaN(said)) return null;
    // A hair more than the tolerance: 0.3 - 0.2 is not 0.1 to a computer.
    const right = Math.abs(said - q.answer) <= q.tolerance + 1e-9 * Math.abs(q.answer);
    return [right, right ? q.feedback : q.hint];
  }];
}

function ask(q, group, done) {
  const [fields, answer] = (q.options ? choiceFields : numberFields)(q, group);
  const reply = make("p", { className: "quiz-reply" });
  reply.setAttribute("aria-live", "polite");
  const form = make("form", { className: "quiz-question", noValidate: true }, fields,
    make("button", { type: "submit", textContent: "Check" }), reply);
  for (const input of form.querySelectorAll("input")) input.dataset.lmSuppressShortcuts = "true"; // see explore.js
  form.onsubmit = (event) => {
    event.preventDefault();
    const said = answer();
    form.dataset.result = !said ? "open" : said[0] ? "right" : "wrong";
    if (!said) reply.textContent = q.options ? "Choose an answer first." : "Write a number first, such as 0.25.";
    else reply.textContent = `${said[0] ? "Right." : "Not yet."} ${said[1]}`;
    done();
  };
  return form;
}

export default {
  render({ model, el }) {
    const { name, questions } = model.get("spec"), uid = `quiz-${name}-${++views}`;
    const score = make("p", { className: "quiz-score" });
    score.setAttribute("role", "status");
    const forms = questions.map((q, i) => ask(q, `${uid}-${i}`, () => {
      const right = forms.filter((form) => form.dataset.result === "right").length;
      score.textContent = right === forms.length ? (right > 1 ? `All ${right} are right.` : "Done.") : "";
    }));
    const section = make("section", { className: "quiz" }, ...forms, score);
    section.setAttribute("aria-label", `Quiz: ${name.replaceAll("-", " ")}`);
    section.dataset.name = name;
    section.dataset.state = "ready";
    el.append(section);
  },
};
