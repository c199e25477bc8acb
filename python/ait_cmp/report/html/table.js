// The table: only the lines in sight are elements.

const LINE = 24, HEAD = 58;
const DEFAULT_COLUMNS = [
  "data_id", "rank", "graph", "token_id", "op_name", "my_op_type", "io", "index", "verdict", "relative_euclidean_distance", "upstream_error",
  "error_growth", "block_error", "block_growth", "cosine_similarity", "max_absolute_error", "my_dtype", "my_shape", "fx_node", "module", "source",
  "match", "status", "cmp_fail_reason",
];
// On paper.
const PRINTED_LINES = 300;
const PRINTED_COLUMNS = [
  "data_id", "token_id", "op_name", "my_op_type", "io", "index", "verdict", "relative_euclidean_distance", "upstream_error", "error_growth", "module",
];

const table = {
  rows: new Uint32Array(0), // rows that the filter leaves, as they are sorted
  columns: [], sortedBy: null, ascending: true, chosen: -1, printing: false, filters: 0,
};

async function startTable() {
  await load(...DEFAULT_COLUMNS);
  const alike = (name) => loaded.get(name).kind === "text" && loaded.get(name).words.length < 2;
  const isAlone = (name) => loaded.get(name).kind !== "text" && ["rank"].includes(name) && isConstant(loaded.get(name));
  table.columns = DEFAULT_COLUMNS.filter((name) => loaded.has(name) && !(name === "graph" && alike(name)) && !isAlone(name));
  find("table").addEventListener("scroll", () => requestAnimationFrame(renderLinesInSight));
  find("table").addEventListener("keydown", moveChosen);
  let pause = 0;
  find("filter").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(applyFilter, 150); });
  find("choose-columns").onclick = () => { find("column-choice").hidden = !find("column-choice").hidden; };
  find("copy-csv").onclick = (event) => copy(csvText(), event.target);
  addEventListener("resize", renderLinesInSight);
  await applyFilter();
}

function isConstant(column) {
  for (let row = 1; row < ROWS; row++) if (column.values[row] !== column.values[0]) return false;
  return true;
}

async function applyFilter() {
  const turn = ++table.filters;
  const error = find("filter-error");
  error.hidden = true;
  let rows;
  try {
    rows = await filteredRows(find("filter").value);
  } catch (problem) {
    if (!(problem instanceof FilterError)) throw problem;
    error.textContent = problem.message;
    error.hidden = false;
    return;
  }
  if (turn !== table.filters) return; // somebody typed on
  table.rows = rows;
  sortRows();
  find("table").scrollTop = 0;
  renderTable();
}

function filterBy(expression) {
  if (typeof DecompressionStream === "undefined") return;
  find("filter").value = expression;
  find("rows").scrollIntoView({ block: "start" });
  applyFilter();
}

function sortRows() {
  if (table.sortedBy === null) return;
  const column = loaded.get(table.sortedBy), sign = table.ascending ? 1 : -1;
  let key = (row) => column.number(row);
  if (column.kind === "text") {
    const places = new Float64Array(column.words.length);
    column.words.map((word, code) => [word, code]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).forEach(([word, code], place) => {
      places[code] = word === "" ? NaN : place;
    });
    key = (row) => places[column.codes[row]];
  }
  table.rows = Uint32Array.from(Array.from(table.rows, (row) => [key(row), row]).sort(([a, i], [b, k]) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - k; // empty cells come last
    return a < b ? -sign : a > b ? sign : i - k;
  }), ([, row]) => row);
}

async function sortBy(name) {
  if (table.sortedBy === name && !table.ascending) table.sortedBy = null;
  else [table.sortedBy, table.ascending] = [name, table.sortedBy !== name];
  if (table.sortedBy === null) return applyFilter();
  await load(name);
  sortRows();
  return renderTable();
}

function widthOf(name) {
  const column = loaded.get(name);
  if (!column) return 100;
  const part = Math.max(...name.split("_").map((one) => one.length)) + 2;
  if (column.kind !== "text") return Math.max(part * 7.5 + 16, /^f/.test(column.type) ? 94 : 70);
  const longest = column.words.slice(0, 5000).reduce((most, word) => Math.max(most, word.length), part);
  return Math.max(60, Math.min(340, longest * 7 + 20));
}

function renderTable() {
  const isCut = table.printing && table.rows.length > PRINTED_LINES;
  find("row-count").textContent = isCut
    ? t("printed", { n: PRINTED_LINES, all: grouped(table.rows.length) })
    : t("row_count", { n: grouped(table.rows.length), all: grouped(ROWS) });
  find("filter").placeholder = t("filter");
  find("sampled").hidden = REPORT.all_rows === ROWS;
  find("sampled").textContent = t("sampled", { n: grouped(ROWS), all: grouped(REPORT.all_rows) });
  const examples = ["verdict:fail", "verdict:inherited", "status:unmatched", "red>0.05", "io:outputs"];
  find("filter-examples").replaceChildren(...examples.map((one) => button(one, () => filterBy(one))));
  renderColumnChoice();
  const columns = shownColumns(), widths = columns.map(widthOf), element = find("table");
  table.width = widths.reduce((sum, one) => sum + one, 0);
  table.widths = widths;
  element.setAttribute("aria-rowcount", table.rows.length + 1);
  const head = make("div", { className: "line head" }, ...columns.map((name, place) => headCell(name, widths[place])));
  head.setAttribute("role", "row");
  head.style.width = `${table.width}px`;
  const sheet = make("div", { className: "sheet" }, head);
  sheet.style.height = `${HEAD + table.rows.length * LINE}px`;
  sheet.style.width = `${table.width}px`;
  element.replaceChildren(sheet);
  renderLinesInSight();
}

const shownColumns = () => table.columns.filter((name) => !table.printing || PRINTED_COLUMNS.includes(name));

function headCell(name, width) {
  const arrow = table.sortedBy === name ? (table.ascending ? " ▲" : " ▼") : "";
  const told = (REPORT.meanings || {})[name]; // not of a metric of the user's own
  const title = told ? `${name}\n${told[language]}` : shown(name);
  const cell = make("div", { className: "cell", title, onclick: () => sortBy(name) });
  const parts = shown(name).split("_"); // a line may end behind an underscore
  parts.forEach((part, place) => cell.append(part, place < parts.length - 1 ? "_" : arrow, make("wbr")));
  cell.setAttribute("role", "columnheader");
  cell.setAttribute("aria-sort", table.sortedBy === name ? (table.ascending ? "ascending" : "descending") : "none");
  cell.dataset.column = name;
  cell.style.width = `${width}px`;
  return cell;
}

function renderLinesInSight() {
  const element = find("table"), sheet = element.querySelector(".sheet");
  if (!sheet) return;
  const first = table.printing ? 0 : Math.max(0, Math.floor((element.scrollTop - HEAD) / LINE) - 4);
  const most = table.printing ? PRINTED_LINES : Math.ceil(element.clientHeight / LINE) + 9;
  const last = Math.min(table.rows.length, first + most);
  const lines = [];
  for (let place = first; place < last; place++) lines.push(lineOf(table.rows[place], place));
  sheet.replaceChildren(sheet.firstChild, ...lines);
}

function lineOf(row, place) {
  const line = make("div", { className: `line${place % 2 ? " odd" : ""}${row === table.chosen ? " chosen" : ""}`, onclick: () => chooseRow(row, false) });
  line.setAttribute("role", "row");
  line.setAttribute("aria-rowindex", place + 2);
  line.dataset.row = row;
  line.style.top = `${HEAD + place * LINE}px`;
  line.style.width = `${table.width}px`;
  line.append(...shownColumns().map((name, at) => bodyCell(name, row, table.widths[at])));
  return line;
}

function bodyCell(name, row, width) {
  const column = loaded.get(name), full = cellText(name, row);
  const isNumber = column && column.kind !== "text";
  const cell = make("div", { className: isNumber ? "cell number" : "cell", title: shown(full) });
  const isFloat = isNumber && full !== "" && column.type[0] === "f" && Number.isFinite(column.number(row));
  cell.textContent = isFloat ? brief(column.number(row), name === "cosine_similarity" ? 8 : 5) : shown(full);
  if (name === "verdict" && full in LABELS.en) cell.classList.add(`${full}-text`);
  cell.setAttribute("role", "gridcell");
  cell.style.width = `${width}px`;
  return cell;
}

function renderColumnChoice() {
  find("column-choice").replaceChildren(...COLUMN_NAMES.map((name) => {
    const box = make("input", { type: "checkbox", checked: table.columns.includes(name) });
    box.onchange = async () => {
      await load(name);
      const chosen = new Set(table.columns);
      if (box.checked) chosen.add(name);
      else chosen.delete(name);
      const order = [...DEFAULT_COLUMNS, ...COLUMN_NAMES];
      table.columns = [...chosen].sort((a, b) => order.indexOf(a) - order.indexOf(b));
      renderTable();
    };
    return make("label", {}, box, " ", shown(name));
  }));
}

/** Marks a row, shows all its cells and, if asked for, scrolls to it. */
async function chooseRow(row, scrolls) {
  if (row < 0) return;
  if (!table.rows.includes(row)) {
    find("filter").value = "";
    await applyFilter();
  }
  table.chosen = row;
  if (scrolls) {
    const element = find("table");
    element.scrollTop = table.rows.indexOf(row) * LINE - element.clientHeight / 2 + HEAD;
    find("rows").scrollIntoView({ block: "nearest" });
  }
  renderLinesInSight();
  drawCourse();
  await renderRowDetail();
}

function moveChosen(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target !== find("table")) return;
  event.preventDefault();
  const next = table.rows[table.rows.indexOf(table.chosen) + step];
  if (next !== undefined) chooseRow(next, true);
}

async function renderRowDetail() {
  const row = table.chosen, element = find("row-detail");
  if (row < 0) return;
  await load(...COLUMN_NAMES);
  const golden = text("status", row) === "compared" ? text("golden_data_path", row) : "";
  const command = moreCommand(text("my_data_path", row), golden);
  const cells = COLUMN_NAMES.filter((name) => text(name, row) !== "").map((name) =>
    make("div", { className: text(name, row).length > 44 ? "wide" : "" }, make("dt", { textContent: shown(name) }), make("dd", {}, named(cellText(name, row)))));
  element.hidden = false;
  element.replaceChildren(
    make("div", { className: "heading" },
      make("b", {}, `${t("row_of", { id: text("data_id", row) })}: `, named(text("op_name", row))),
      button(golden ? t("copy_diff") : t("copy_show"), (event) => copy(command, event.target), { title: shown(command) }),
      button(t("close"), () => { element.hidden = true; })),
    make("dl", {}, ...cells), make("p", { className: "hint", textContent: t("digits") }));
}

/** The rows in view with the columns in view; a cell that a spreadsheet would run gets a quote. */
function csvText() {
  const cell = (value) => {
    const safe = /^[=+\-@\t\r]/.test(value) && !/^[+-]?(\d|\.\d|inf$)/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const lines = [table.columns.map(cell).join(",")];
  for (const row of table.rows) lines.push(table.columns.map((name) => cell(text(name, row))).join(","));
  return `${lines.join("\n")}\n`;
}
