// The course of the error: every compared row in execution order, on a logarithmic scale.

const MARGIN = { left: 64, right: 12, top: 26, bottom: 30 };
const LANE = 28; // height of the lanes "not finite" above and "0" below
const FLOOR = 1e-12; // smaller errors are drawn here

const course = { points: [], verdicts: [], from: 0, to: 0, low: -4, high: 0, outputsOnly: false, drag: null, failing: -1 };
const COURSE_COLUMNS = ["relative_euclidean_distance", "upstream_error", "verdict", "status", "io", "token_id", "graph", "rank", "op_name", "my_op_type", "index", "error_growth", "data_id", "fx_node", "module"];

async function startCourse() {
  await load(...COURSE_COLUMNS);
  const canvas = find("course-plot").querySelector("canvas");
  find("outputs-only").onchange = (event) => { course.outputsOnly = event.target.checked; collectPoints(); drawCourse(); };
  find("course-reset").onclick = () => { showCourse(0, course.points.length); };
  find("next-failing").onclick = chooseNextFailing;
  canvas.addEventListener("mousemove", hoverCourse);
  canvas.addEventListener("mouseleave", () => { showTip(find("course-plot"), null, null); course.drag = null; drawCourse(); });
  canvas.addEventListener("mousedown", (event) => { course.drag = { from: event.offsetX, to: event.offsetX }; });
  canvas.addEventListener("mouseup", releaseCourse);
  canvas.addEventListener("dblclick", () => showCourse(0, course.points.length));
  addEventListener("resize", drawCourse);
  collectPoints();
}

/** Rows with an error, and failing ones without (no finite pair). */
function collectPoints() {
  const red = loaded.get("relative_euclidean_distance");
  course.points = [];
  let high = -Infinity, low = Infinity;
  for (let row = 0; row < ROWS; row++) {
    const error = red.number(row);
    if (Number.isNaN(error) && !(text("verdict", row) === "fail" && text("status", row) === "compared")) continue;
    if (course.outputsOnly && text("io", row) !== "outputs") continue;
    course.points.push(row);
    for (const value of [error, number("upstream_error", row)])
      if (value > 0 && value < Infinity) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  course.low = Number.isFinite(low) ? Math.floor(Math.log10(Math.max(low, FLOOR))) : -4;
  course.high = Math.max(course.low + 1, Number.isFinite(high) ? Math.ceil(Math.log10(Math.max(high, FLOOR))) : 0);
  [course.from, course.to] = [0, course.points.length];
}

function showCourse(from, to) {
  [course.from, course.to] = [Math.max(0, from), Math.min(course.points.length, to)];
  drawCourse();
}

const frame = (width, height) => ({
  left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top + LANE, bottom: height - MARGIN.bottom - LANE,
});

function heightOf(value, box) {
  if (value === 0) return box.bottom + LANE / 2;
  if (!(value < Infinity)) return box.top - LANE / 2;
  const share = (Math.log10(Math.max(value, FLOOR)) - course.low) / (course.high - course.low);
  return box.bottom - Math.max(0, Math.min(1, share)) * (box.bottom - box.top);
}

const acrossOf = (place, box) => box.left + ((place + 0.5 - course.from) / Math.max(1, course.to - course.from)) * (box.right - box.left);

function drawCourse() {
  const plot = find("course-plot");
  if (find("course").hidden || !plot.clientWidth) return;
  const { context, width, height } = canvasOf(plot.querySelector("canvas")), box = frame(width, height);
  plot.querySelector("canvas").setAttribute("aria-label", t("course"));
  find("course-reset").hidden = course.from === 0 && course.to === course.points.length;
  renderLegend();
  if (!course.points.length) {
    context.fillStyle = colour("soft");
    context.fillText(t("no_course"), box.left, height / 2);
    return;
  }
  drawBands(context, box);
  drawScale(context, box);
  const crowded = course.to - course.from > (box.right - box.left) * 0.6;
  if (crowded) drawSpread(context, box);
  else drawDots(context, box, () => true);
  if (crowded) drawDots(context, box, (row) => text("verdict", row) === "fail");
  drawChosen(context, box);
  if (course.drag && Math.abs(course.drag.to - course.drag.from) > 3) {
    context.fillStyle = colour("link");
    context.globalAlpha = 0.2;
    context.fillRect(course.drag.from, MARGIN.top, course.drag.to - course.drag.from, height - MARGIN.top - MARGIN.bottom);
    context.globalAlpha = 1;
  }
}

/** One band a token: rows that share rank, graph and token. */
function drawBands(context, box) {
  const key = (place) => ["rank", "graph", "token_id"].map((name) => text(name, course.points[place])).join("\n");
  let begin = course.from, count = 0;
  for (let place = course.from + 1; place <= course.to; place++) {
    if (place < course.to && key(place) === key(begin)) continue;
    const left = acrossOf(begin - 0.5, box), right = acrossOf(place - 0.5, box);
    if (count++ % 2 === 0) {
      context.fillStyle = colour("band");
      context.fillRect(left, MARGIN.top, right - left, box.bottom + LANE - MARGIN.top);
    }
    const row = course.points[begin];
    const labels = [`${t("token")} ${text("token_id", row)}`];
    labels.unshift(`${shown(text("graph", row))} ${labels[0]}`);
    if (number("rank", row) >= 0) labels.unshift(`${t("rank")} ${text("rank", row)} ${labels[0]}`);
    const label = labels.find((one) => context.measureText(one).width + 10 < right - left);
    context.fillStyle = colour("soft");
    if (label) context.fillText(label, left + 5, MARGIN.top - 8);
    begin = place;
  }
}

function drawScale(context, box) {
  context.textAlign = "right";
  context.fillStyle = colour("soft");
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  const step = Math.ceil((course.high - course.low) / 8);
  for (let decade = course.low; decade <= course.high; decade += step) {
    const y = Math.round(heightOf(10 ** decade, box)) + 0.5;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(box.left, y);
    context.lineTo(box.right, y);
    context.stroke();
    context.globalAlpha = 1;
    context.fillText(decade >= -3 && decade <= 3 ? String(Number((10 ** decade).toPrecision(1))) : `1e${decade}`, box.left - 8, y + 4);
  }
  context.fillText(t("not_finite"), box.left - 8, box.top - LANE / 2 + 4);
  context.fillText("0", box.left - 8, box.bottom + LANE / 2 + 4);
  context.textAlign = "left";
}

/** Of every pixel column the smallest, median and largest error, and the largest that was given. */
function drawSpread(context, box) {
  const columns = Math.round(box.right - box.left), given = [], medians = [];
  context.fillStyle = colour("spread");
  for (let at = 0; at < columns; at++) {
    const begin = course.from + Math.floor(((course.to - course.from) * at) / columns);
    const end = course.from + Math.floor(((course.to - course.from) * (at + 1)) / columns);
    if (begin === end) continue;
    const rows = course.points.slice(begin, end);
    const errors = rows.map((row) => number("relative_euclidean_distance", row)).map((one) => (Number.isNaN(one) ? Infinity : one)).sort((a, b) => a - b);
    const top = heightOf(errors[errors.length - 1], box), bottom = heightOf(errors[0], box);
    context.fillRect(box.left + at, top, 1, Math.max(1, bottom - top));
    medians.push([box.left + at, heightOf(errors[errors.length >> 1], box)]);
    const most = rows.reduce((sum, row) => Math.max(sum, number("upstream_error", row) || 0), 0);
    given.push([box.left + at, heightOf(most, box)]);
  }
  for (const [points, name, size] of [[given, "given", 1], [medians, "pass", 1.5]]) {
    context.fillStyle = colour(name);
    for (const [x, y] of points) context.fillRect(x, y - size, 1.2, size * 2);
  }
}

function drawDots(context, box, isDrawn) {
  const room = (box.right - box.left) / Math.max(1, course.to - course.from), radius = room > 8 ? 3.5 : 2.5;
  for (let place = course.from; place < course.to; place++) {
    const row = course.points[place];
    if (!isDrawn(row)) continue;
    const x = acrossOf(place, box), error = number("relative_euclidean_distance", row), given = number("upstream_error", row);
    if (!Number.isNaN(given)) {
      context.fillStyle = colour("given");
      context.fillRect(x - Math.max(2, room / 2), heightOf(given, box) - 0.75, Math.max(4, room), 1.5);
    }
    const verdict = text("verdict", row);
    context.fillStyle = colour(verdict in LABELS.en ? verdict : "none");
    context.beginPath();
    context.arc(x, heightOf(error, box), verdict === "fail" ? radius + 1 : radius, 0, 7);
    context.fill();
  }
}

function drawChosen(context, box) {
  const place = course.points.indexOf(table.chosen);
  if (place < course.from || place >= course.to) return;
  context.strokeStyle = colour("link");
  context.lineWidth = 2;
  context.beginPath();
  context.arc(acrossOf(place, box), heightOf(number("relative_euclidean_distance", table.chosen), box), 7, 0, 7);
  context.stroke();
}

function renderLegend() {
  const items = ["pass", "inherited", "fail"].map((name) => [name, t(name), ""]);
  items.push(["given", t("legend_given"), "bar"], ["spread", t("legend_spread"), "bar"]);
  find("course-legend").replaceChildren(...items.map(([name, label, shape]) => {
    const mark = make("i", { className: shape });
    mark.style.background = `var(--${name})`;
    return make("span", {}, mark, label);
  }));
}

/** The row whose dot is nearest to the pointer, failing ones first; -1 where none is near. */
function rowAt(event) {
  const canvas = event.currentTarget, box = frame(canvas.clientWidth, canvas.clientHeight);
  const room = (course.to - course.from) / Math.max(1, box.right - box.left);
  const middle = course.from + (event.offsetX - box.left) * room, reach = Math.max(2, 8 * room);
  let best = -1, least = 12;
  for (let place = Math.max(course.from, Math.floor(middle - reach)); place < Math.min(course.to, middle + reach); place++) {
    const row = course.points[place];
    const away = Math.hypot(acrossOf(place, box) - event.offsetX, heightOf(number("relative_euclidean_distance", row), box) - event.offsetY);
    const distance = text("verdict", row) === "fail" ? away : away + 3;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

function hoverCourse(event) {
  if (course.drag) {
    course.drag.to = event.offsetX;
    drawCourse();
  }
  const row = rowAt(event);
  showTip(find("course-plot"), event, row < 0 ? null : [
    make("b", {}, named(`${text("op_name", row)} (${text("my_op_type", row)})`)),
    named([text("fx_node", row), text("module", row)].filter(Boolean).join(", ")),
    `${t("token")} ${text("token_id", row)}, ${text("io", row)} ${text("index", row)}`,
    `${t("error")} ${brief(text("relative_euclidean_distance", row) === "" ? null : number("relative_euclidean_distance", row))}, ${t("given")} ${brief(text("upstream_error", row) && number("upstream_error", row))}, ${t("growth")} ${brief(text("error_growth", row) && number("error_growth", row))}`,
    `${t("verdict")}: ${text("verdict", row) in LABELS.en ? t(text("verdict", row)) : t("none")}`,
  ]);
}

function releaseCourse(event) {
  const drag = course.drag, canvas = event.currentTarget, box = frame(canvas.clientWidth, canvas.clientHeight);
  course.drag = null;
  if (!drag || Math.abs(event.offsetX - drag.from) < 4) {
    const row = rowAt(event);
    if (row >= 0) chooseRow(row, true);
    return;
  }
  const ends = [drag.from, event.offsetX].sort((a, b) => a - b).map((x) => course.from + ((x - box.left) / (box.right - box.left)) * (course.to - course.from));
  if (ends[1] - ends[0] >= 2) showCourse(Math.floor(ends[0]), Math.ceil(ends[1]));
}

async function chooseNextFailing() {
  const failing = [];
  for (let row = 0; row < ROWS; row++) if (text("verdict", row) === "fail") failing.push(row);
  if (failing.length) await chooseRow(failing.find((row) => row > table.chosen) ?? failing[0], true);
}
