// The language of the filter: words, `column:word`, `column>number`; a minus in front turns a term round.

const ALIASES = {
  op: "op_name", type: "my_op_type", golden_type: "golden_op_type", red: "relative_euclidean_distance", cosine: "cosine_similarity",
  given: "upstream_error", growth: "error_growth", token: "token_id", id: "data_id", dtype: "my_dtype", shape: "my_shape",
  reason: "cmp_fail_reason", path: "my_data_path", node: "fx_node", error: "max_absolute_error",
};
// Where a word without a column is looked for.
const WORD_COLUMNS = ["op_name", "my_op_type", "golden_op_type", "fx_node", "module", "source", "graph", "status", "verdict", "cmp_fail_reason"];

class FilterError extends Error {}

/** A word as the filter takes it whole. */
const filterWord = (word) => (/[\s"]/.test(word) ? `"${word.replace(/"/g, "?")}"` : word);

/** The rows that a filter leaves, in order. Loads the columns that it needs. */
async function filteredRows(expression) {
  const tests = [];
  for (const [, minus, key, operator, word] of expression.matchAll(/(-)?(?:(\w+)(:|>=|<=|>|<|=))?("[^"]*"?|\S+)/g)) {
    const names = key === undefined ? WORD_COLUMNS.filter((name) => COLUMN_NAMES.includes(name)) : [columnNamed(key)];
    await load(...names);
    const test = termTest(names, operator ?? ":", word.replace(/"/g, ""));
    tests.push(minus ? (row) => !test(row) : test);
  }
  const rows = new Uint32Array(ROWS);
  let n = 0;
  for (let row = 0; row < ROWS; row++) if (tests.every((test) => test(row))) rows[n++] = row;
  return rows.slice(0, n);
}

function columnNamed(key) {
  const name = key.toLowerCase() in ALIASES ? ALIASES[key.toLowerCase()] : key;
  if (COLUMN_NAMES.includes(name)) return name;
  throw new FilterError(t("bad_filter", { name: shown(key), names: COLUMN_NAMES.map(shown).join(", ") }));
}

function termTest(names, operator, word) {
  const tests = names.map((name) => {
    const column = loaded.get(name);
    return column.kind === "text" ? textTest(column, word) : numberTest(column, operator, word);
  });
  return tests.length === 1 ? tests[0] : (row) => tests.some((test) => test(row));
}

/** Alternatives stand between commas; `*` and `?` make a term fit the whole cell. */
function textTest(column, word) {
  const patterns = word.split(",").map((one) => {
    const escaped = one.replace(/[.+^${}()|[\]\\]/g, "\\$&");
    return new RegExp(/[*?]/.test(one) ? `^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$` : escaped, "is");
  });
  const fits = column.words.map((cell) => patterns.some((pattern) => pattern.test(cell) || pattern.test(inLanguage(cell))));
  return (row) => fits[column.codes[row]];
}

const COMPARE = {
  ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b,
};

function numberTest(column, operator, word) {
  if (operator in COMPARE) return (row) => COMPARE[operator](column.number(row), numberWord(word));
  const alternatives = word.split(",").map((one) => {
    const range = /^(\d+)-(\d+)$/.exec(one);
    if (range) return (row) => column.number(row) >= Number(range[1]) && column.number(row) <= Number(range[2]);
    if (Number.isNaN(numberWord(one))) return (row) => column.text(row) === one;
    return (row) => column.number(row) === numberWord(one);
  });
  return (row) => alternatives.some((one) => one(row));
}

const numberWord = (word) => (/^-?inf$/i.test(word) ? (word[0] === "-" ? -Infinity : Infinity) : word === "" ? NaN : Number(word));
