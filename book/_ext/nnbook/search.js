// What Sphinx's search does not do by itself. It stands in language_data.js, before searchtools.js, which uses it.

// Words as Sphinx splits them; of a run of Chinese characters its pairs, as in the index (search.py), without
// those that the book does not have: a word is found also where a reader types more than it.
const HAN = "[\\u3400-\\u9fff]";
const WORDS = new RegExp(`${HAN}+|(?:(?!${HAN})[\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}])+`, "gu");

function pairs(run) {
  const signs = [...run], all = signs.slice(1).map((sign, i) => signs[i] + sign);
  const known = all.filter((pair) => [Search._index?.terms, Search._index?.titleterms].some((words) => words && pair in words));
  return known.length ? known : all;
}

var splitQuery = (query) => (query.match(WORDS) ?? [])
  .flatMap((word) => new RegExp(`^${HAN}{2}`, "u").test(word) ? pairs(word) : [word]);

// An entry of the glossary comes first if one of its names is the query, then the page that defines it (DEFINED, which
// search.py writes). Other entries come the sooner, the more of a name the query is: half of it weighs as much as the
// word in the text of a page.
var Scorer = {
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
  score: ([docname, title, anchor, description, score]) => {
    const query = new URLSearchParams(location.search).get("q").trim().toLowerCase().replaceAll("’", "'");
    if (!anchor && Object.hasOwn(DEFINED, query) && DEFINED[query] === docname) return 99;
    if (!description || !anchor.startsWith("#term-")) return score;
    const shares = title.toLowerCase().replaceAll("&#x27;", "'").split(", ").map((name) => name.includes(query) ? query.length / name.length : 0);
    const share = Math.max(...shares);
    return share === 1 ? 100 : 10 * share;
  },
};
