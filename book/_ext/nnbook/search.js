// What Sphinx's search does not do by itself. It stands in language_data.js, before searchtools.js, which uses it.

// Words as Sphinx splits them; a run of Chinese characters becomes its pairs, as in the index (search.py).
var splitQuery = (query) => query
  .split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+|(?<=[\u3400-\u9fff])(?![\u3400-\u9fff])|(?<![\u3400-\u9fff])(?=[\u3400-\u9fff])/u)
  .filter((word) => word)
  .flatMap((word) => /^[\u3400-\u9fff]{2}/.test(word) ? [...word].slice(1).map((end, i) => [...word][i] + end) : [word]);

// An entry of the glossary comes first if one of its names is the query, and otherwise after the titles that hold it.
var Scorer = {
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
  score: ([, title, anchor, description, score]) => {
    const query = new URLSearchParams(location.search).get("q")?.trim().toLowerCase();
    const entry = description && anchor.startsWith("#term-");
    return entry && title.toLowerCase().split(", ").includes(query) ? 100 : score;
  },
};
