// One divergence: what stands around it, and how its errors are spread.

let chosenDivergence = 0;
const BINS_A_DECADE = 4, BINS = 40;
const BOX = { height: 84, gapX: 40, gapY: 10 };

function chooseDivergence(place, scrolls) {
  chosenDivergence = place;
  renderCards();
  renderDetail();
  if (scrolls) find("detail").scrollIntoView({ block: "start" });
}

function renderDetail() {
  find("detail").hidden = !divergences.length;
  if (!divergences.length) return;
  const one = divergences[chosenDivergence];
  find("detail-title").replaceChildren(named(t("detail_of", { i: chosenDivergence + 1, n: divergences.length, name: titleOf(one) })));
  for (const [id, step] of [["detail-previous", -1], ["detail-next", 1]]) {
    const next = chosenDivergence + step;
    find(id).disabled = !divergences[next];
    find(id).onclick = () => chooseDivergence(next, false);
  }
  renderNeighbourhood(one);
  renderErrors(one);
}

function renderNeighbourhood(one) {
  const element = find("neighbourhood"), { ops = [], edges = [], left_out: leftOut = 0 } = one.neighbourhood || {};
  element.style.height = "";
  if (!ops.length) return element.replaceChildren(make("p", { className: "soft", textContent: t("no_neighbourhood") }));
  const layers = [...new Set(ops.map((op) => op.distance))].sort((a, b) => a - b).map((distance) => ops.filter((op) => op.distance === distance));
  const width = Math.max(170, Math.min(300, (element.clientWidth - BOX.gapX * (layers.length - 1)) / layers.length));
  const tallest = Math.max(...layers.map((layer) => layer.length)) * (BOX.height + BOX.gapY) - BOX.gapY;
  const places = new Map();
  layers.forEach((layer, across) => layer.forEach((op, down) => {
    const height = layer.length * (BOX.height + BOX.gapY) - BOX.gapY;
    places.set(op, { x: across * (width + BOX.gapX), y: (tallest - height) / 2 + down * (BOX.height + BOX.gapY) });
  }));
  element.style.height = `${tallest + (leftOut ? 28 : 4)}px`;
  const drawing = edgesDrawing(ops, edges, places, width, tallest, layers.length * (width + BOX.gapX));
  const boxes = ops.map((op) => opBox(one, op, places.get(op), width));
  const rest = make("p", { className: "hint", textContent: t("left_out", { n: leftOut }), hidden: !leftOut });
  rest.style.paddingTop = `${tallest}px`;
  return element.replaceChildren(drawing, ...boxes, rest);
}

function opBox(one, op, { x, y }, width) {
  const kind = op.verdict in LABELS.en ? op.verdict : "none";
  const figures = op.verdict ? `${t("error")} ${brief(op.error)} · ${t("growth")} ${brief(op.error_growth)}` : t("none");
  const lines = [op.op_name, [op.op_type, op.fx_node].filter(Boolean).join(" = "), op.module || op.source || "", figures];
  const box = button("", async () => chooseRow(await rowOf(one.rank, op.data_id), true), {
    className: `box ${kind}${op.distance === 0 ? " culprit" : ""}`, title: [...lines, op.source].filter(Boolean).map(shown).join("\n"),
  });
  box.append(...lines.map((text, place) => make("div", { className: place === 0 ? "name" : place === 3 ? kind === "none" ? "soft" : `${kind}-text` : "name soft", textContent: shown(text) })));
  Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${width}px` });
  return box;
}

function edgesDrawing(ops, edges, places, width, height, allWidth) {
  const vector = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const drawing = vector("svg", { width: allWidth, height: height + 2 });
  for (const edge of edges) {
    const from = places.get(ops[edge.from]), to = places.get(ops[edge.to]);
    if (!from || !to) continue;
    const x0 = from.x + width, y0 = from.y + BOX.height / 2, x1 = to.x, y1 = to.y + BOX.height / 2, bend = Math.max(20, Math.abs(x1 - x0) / 2);
    const name = edge.differs ? "fail" : edge.differs === null || edge.differs === undefined ? "none" : "pass";
    drawing.append(
      vector("path", {
        d: `M${x0},${y0} C${x0 + bend},${y0} ${x1 - bend},${y1} ${x1 - 6},${y1}`, fill: "none", stroke: colour(name),
        "stroke-width": edge.differs ? 2.5 : 1.5, "stroke-dasharray": name === "none" ? "4 3" : "none",
      }),
      vector("path", { d: `M${x1},${y1} l-7,-4 v8 z`, fill: colour(name) }));
  }
  return drawing;
}

function renderErrors(one) {
  const panels = ["histogram", "heat-map", "worst"].map(find);
  if (!one.errors) {
    const why = one.errors_note ? shown(inLanguage(one.errors_note)) : t("no_errors");
    return panels.forEach((panel) => panel.replaceChildren(make("p", { className: "soft", textContent: why })));
  }
  renderHistogram(panels[0], one.errors.histogram);
  renderHeatMap(panels[1], one.errors.heat_map, one.shape);
  return renderWorst(panels[2], one.errors.worst || []);
}

const plotIn = (panel, ...after) => {
  const canvas = make("canvas"), plot = make("div", { className: "plot" }, canvas, make("div", { className: "tip", hidden: true }));
  canvas.setAttribute("role", "img");
  panel.replaceChildren(plot, ...after);
  canvas.addEventListener("mouseleave", () => showTip(plot, null, null));
  return { plot, canvas };
};

function renderHistogram(panel, histogram) {
  if (!histogram) return panel.replaceChildren();
  const notes = [["equal_pairs", histogram.equal], ["not_finite_pairs", histogram.not_finite]].filter(([, n]) => n)
    .map(([label, n]) => make("p", { className: "hint", textContent: t(label, { n: grouped(n) }) }));
  const { plot, canvas } = plotIn(panel, ...notes);
  const { context, width, height } = canvasOf(canvas);
  const { bins, largest } = histogram, most = Math.max(1, ...bins), left = 8, step = (width - 2 * left) / BINS, bottom = height - 34;
  const edge = (bin) => numberOf(largest) * 10 ** ((bin - BINS) / BINS_A_DECADE);
  const tall = (n) => (n ? 4 + (Math.log(n + 1) / Math.log(most + 1)) * (bottom - 22) : 0);
  context.fillStyle = colour("pass");
  bins.forEach((n, bin) => context.fillRect(left + bin * step + 0.5, bottom - tall(n), Math.max(1, step - 1), tall(n)));
  context.fillStyle = colour("soft");
  context.fillRect(left, bottom, width - 2 * left, 1);
  for (let bin = 0; bin <= BINS; bin += BINS_A_DECADE * 2) {
    context.textAlign = bin === 0 ? "left" : bin === BINS ? "right" : "center";
    context.fillText(brief(edge(bin), 2), left + bin * step, bottom + 15);
  }
  context.textAlign = "center";
  context.fillText(t("histogram_axis"), width / 2, bottom + 31);
  canvas.setAttribute("aria-label", t("histogram"));
  canvas.onmousemove = (event) => {
    const bin = Math.floor((event.offsetX - left) / step);
    showTip(plot, event, bins[bin] === undefined ? null : [t("pairs_in_bin", { n: grouped(bins[bin]), from: bin ? brief(edge(bin)) : "0", to: brief(edge(bin + 1)) })]);
  };
}

// Dark to bright, even for the eye.
const SCALE = [[13, 8, 60], [94, 20, 110], [170, 45, 95], [228, 90, 49], [250, 160, 30], [252, 250, 170]];

/** The colour of an error: its power of ten below the largest, over four decades. */
function heatColour(share) {
  const at = Math.max(0, Math.min(1, 1 + Math.log10(share) / 4)) * (SCALE.length - 1);
  const lower = SCALE[Math.min(SCALE.length - 2, Math.floor(at))], upper = SCALE[Math.min(SCALE.length - 1, Math.floor(at) + 1)];
  return `rgb(${lower.map((one, i) => Math.round(one + (upper[i] - one) * (at - Math.floor(at) || (at === SCALE.length - 1 ? 1 : 0)))).join(" ")})`;
}

function renderHeatMap(panel, map, shape) {
  if (!map || !map.cells?.length) return panel.replaceChildren(make("p", { className: "soft", textContent: t("no_errors") }));
  const axes = t("heat_axes", { rows: map.rows, columns: map.columns, shape: JSON.stringify(shape || []) });
  const { plot, canvas } = plotIn(panel, make("p", { className: "hint", textContent: axes }));
  const { context, width, height } = canvasOf(canvas), cells = map.cells, down = cells.length, across = cells[0].length;
  const tall = Math.min((height - 30) / down, 40), wide = Math.min(width / across, 40);
  const largest = Math.max(0, ...cells.flat().map(numberOf).filter(Number.isFinite));
  cells.forEach((row, r) => row.forEach((value, c) => {
    const error = numberOf(value);
    context.fillStyle = value === null ? colour("faint") : error === Infinity ? "#ffffff" : error > 0 ? heatColour(error / largest) : "#05030f";
    context.fillRect(Math.floor(c * wide), Math.floor(r * tall), Math.ceil((c + 1) * wide) - Math.floor(c * wide), Math.ceil((r + 1) * tall) - Math.floor(r * tall));
  }));
  drawHeatScale(context, Math.min(height - 16, down * tall + 10), Math.min(width, across * wide, 260), largest);
  canvas.setAttribute("aria-label", axes);
  canvas.onmousemove = (event) => {
    const r = Math.floor(event.offsetY / tall), c = Math.floor(event.offsetX / wide);
    const part = (i, n, size) => [Math.floor((i * size) / n), Math.max(Math.floor((i * size) / n), Math.floor(((i + 1) * size) / n) - 1)];
    if (cells[r]?.[c] === undefined) return showTip(plot, event, null);
    const [r0, r1] = part(r, down, map.rows), [c0, c1] = part(c, across, map.columns);
    return showTip(plot, event, [t("heat_cell", { r0, r1, c0, c1, error: brief(cells[r][c]) })]);
  };
}

function drawHeatScale(context, top, width, largest) {
  const low = "0 ", high = ` ${brief(largest)}`;
  const begin = context.measureText(low).width, end = Math.max(begin + 40, width - context.measureText(high).width);
  for (let x = begin; x < end; x++) {
    context.fillStyle = heatColour(10 ** (((x - begin) / (end - begin) - 1) * 4));
    context.fillRect(x, top, 1.5, 10);
  }
  context.fillStyle = colour("soft");
  context.fillText(low, 0, top + 9);
  context.fillText(high, end, top + 9);
}

function renderWorst(panel, worst) {
  const head = ["index", "my_value", "golden_value", "error"].map((label) => make("th", { textContent: t(label) }));
  const lines = worst.map((one) => make("tr", {}, make("td", { className: "mono", textContent: `[${(one.index || []).join(", ")}]` }),
    ...[one.my, one.golden, one.error].map((value) => make("td", { textContent: brief(value, 6) }))));
  panel.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lines)));
}
