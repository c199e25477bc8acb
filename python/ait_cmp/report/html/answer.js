// The answer: what differs, in sentences; one card for every divergence.

const CARDS_SHOWN = 10;
let allCards = false;

const divergences = RESULT.divergences || [];
const divergenceCount = RESULT.divergence_count ?? divergences.length;
const sentencesOf = (list) => (list || []).map((one) => (typeof one === "string" ? one : one.sentence)).filter(Boolean).map(inLanguage);

/** A sentence of the result, in the language of the page where it is known. */
function inLanguage(sentence) {
  const chinese = REPORT.chinese || {};
  return language === "zh" && Object.hasOwn(chinese, sentence) ? chinese[sentence] : sentence;
}

function renderAnswer() {
  renderRun();
  renderBanner();
  renderFigures();
  find("inputs-differ").replaceChildren(...sentencesOf(RESULT.inputs_differ).map(line));
  renderCards();
  renderLines("outputs", sentencesOf(RESULT.outputs), t("outputs"));
  renderModules();
  find("reach").replaceChildren(...sentencesOf(RESULT.reach).map(line));
  renderNotes();
  find("program").textContent = t("written_by", { version: shown(RESULT.program || "") });
}

const line = (text) => make("p", {}, spoken(text));

function renderLines(id, lines, title) {
  find(id).replaceChildren(...(lines.length ? [make("h3", { textContent: title }), ...lines.map(line)] : []));
}

function renderRun() {
  const facts = { my: RESULT.my_path, golden: RESULT.golden_path, when: RESULT.time, command: (RESULT.command || []).map(quoted).join(" ") };
  find("run").replaceChildren(...Object.entries(facts).filter(([, value]) => value)
    .flatMap(([label, value]) => [make("span", { textContent: t(label) }), named(value)]));
}

function renderBanner() {
  const counts = RESULT.counts || {}, status = counts.status || {};
  const differing = sentencesOf(RESULT.inputs_differ).length;
  const lost = (status.shape_mismatch || 0) + (status.unreadable || 0);
  const failing = counts.verdict?.fail || 0;
  const all = Object.values(status).reduce((sum, one) => sum + one, 0);
  const lines = [];
  if (differing) lines.push(["bad", t("inputs_differ")]);
  if (divergenceCount) lines.push(["bad", divergenceCount === 1 ? t("one_divergence") : t("n_divergences", { n: divergenceCount })]);
  else if (failing) lines.push(["warn", t("rows_outside", { n: failing })]);
  if (lost) lines.push(["warn", t("not_compared", { n: lost })]);
  if (!status.compared) lines.push(["warn", t("nothing_compared")]);
  else if (!lines.length) lines.push(["good", t("all_clear", { n: status.compared, all })]);
  if (RESULT.was_interrupted) lines.push(["warn", t("interrupted")]);
  const banner = find("banner");
  banner.className = lines[0][0];
  banner.replaceChildren(...lines.map(([, text]) => make("div", { textContent: text })));
}

function renderFigures() {
  const { status = {}, verdict = {} } = RESULT.counts || {};
  const all = Object.values(status).reduce((sum, one) => sum + one, 0);
  const figures = [[t("fig_tensors"), all, ""], ...Object.entries(status).filter(([, n]) => n).map(([name, n]) => [
    `fig_${name}` in LABELS.en ? t(`fig_${name}`) : name, n, `status:${name}`])];
  for (const name of ["pass", "inherited", "fail"]) if (name in verdict) figures.push([t(name), verdict[name], `verdict:${name}`]);
  figures.push([t("fig_diverging"), divergenceCount, null]);
  find("figures").replaceChildren(...figures.map(([label, n, filter]) => {
    const children = [make("b", { textContent: grouped(n) }), make("span", { textContent: label })];
    if (filter === null) return make("div", { className: "figure" }, ...children);
    const tile = button("", () => filterBy(filter), { className: "figure" });
    tile.append(...children);
    return tile;
  }));
}

function renderCards() {
  const cards = divergences.slice(0, allCards ? divergences.length : CARDS_SHOWN).map(card);
  if (cards.length < divergences.length)
    cards.push(button(t("more_divergences", { n: divergences.length - cards.length }), () => { allCards = true; renderCards(); }));
  else if (divergences.length < divergenceCount)
    cards.push(make("p", { className: "soft", textContent: t("divergences_left_out", { n: divergences.length, all: divergenceCount }) }));
  find("divergences").replaceChildren(...cards);
}

/** `MatMul_3 (MatMul) = mm_3, layers.0.mlp.up_proj, qwen.py:38`, as the summary has it. */
function titleOf(one) {
  const node = one.fx_node ? ` = ${one.fx_node}` : "";
  return [`${one.op_name} (${one.op_type})${node}`, one.module, one.source].filter(Boolean).join(", ");
}

function placeOf(one) {
  const rank = one.rank >= 0 ? `${t("rank")} ${one.rank} ` : "";
  return `${rank}${one.graph ?? ""} ${t("token")} ${one.token ?? ""}`;
}

function card(one, place) {
  const actions = make("div", { className: "actions" },
    button(t("details"), () => chooseDivergence(place, true)),
    button(t("go_to_row"), async () => chooseRow(await rowOf(one.rank, one.data_id), true)));
  if (one.my) actions.append(button(one.golden ? t("copy_diff") : t("copy_show"), (event) => copy(moreCommand(one.my, one.golden), event.target)));
  return make("div", { className: `divergence${place === chosenDivergence ? " chosen" : ""}`, id: `divergence-${place}` },
    make("div", { className: "title" }, named(titleOf(one))),
    make("div", { className: "where", textContent: shown(placeOf(one)) }),
    ...explanationOf(one).map((text) => make("p", {}, spoken(text))), actions);
}

function explanationOf(one) {
  const isBlock = one.kind === "block";
  const values = {
    error: brief(isBlock ? one.block_error : one.error), given: brief(isBlock ? one.given_block : one.upstream_error),
    growth: brief(isBlock ? one.block_growth : one.error_growth),
  };
  const lines = [];
  if (`kind_${one.kind}` in LABELS.en) {
    const limit = ["growth", "block"].includes(one.kind) && one.limit ? ` ${t("limit", { limit: brief(one.limit) })}` : "";
    lines.push(t(`kind_${one.kind}`, values) + limit);
  } else lines.push(...sentencesOf(one.sentences));
  if (one.replay) lines.push(inLanguage(one.replay));
  if ((one.candidates || []).length > 1) lines.push(t("candidates", { names: one.candidates.join(", ") }));
  if (one.places > 1) lines.push(t("places", { n: one.places }));
  if (one.later_failures) lines.push(t(one.later_failures === 1 ? "later_one" : "later", { n: one.later_failures }));
  return lines;
}

function renderModules() {
  const modules = RESULT.failing_modules || [];
  find("modules").replaceChildren(...(modules.length ? [make("h3", { textContent: t("failing_modules") })] : []), ...modules.map((one) =>
    button(`${shown(one.module) || t("no_module")} ${one.rows}`, () => filterBy(one.module ? `verdict:fail module:${filterWord(`${one.module}*`)}` : "verdict:fail"))));
}

function renderNotes() {
  const notes = sentencesOf(RESULT.notes), element = find("notes");
  element.hidden = !notes.length;
  element.querySelector("summary").textContent = notes.length === 1 ? t("notes_one") : t("notes", { n: notes.length });
  element.querySelector("ul").replaceChildren(...notes.map((note) => make("li", {}, spoken(note))));
}
