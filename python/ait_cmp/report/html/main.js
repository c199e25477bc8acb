// Switches, and the order in which the page is made.

const themes = { choice: "auto" };

function applyTheme() {
  const dark = themes.choice === "dark" || (themes.choice === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  markChoice("themes", themes.choice);
}

function markChoice(id, choice) {
  for (const one of find(id).children) one.setAttribute("aria-pressed", String(one.dataset.choice === choice));
}

/** Everything that depends on language, theme or width. */
function renderAll() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-label]")) element.textContent = t(element.dataset.label);
  find("unsupported").textContent = t("unsupported");
  markChoice("languages", language);
  renderAnswer();
  renderDetail();
  drawCourse();
  if (!find("rows").hidden) {
    renderTable();
    if (!find("row-detail").hidden) renderRowDetail();
  }
}

function listen() {
  for (const one of find("languages").children) one.onclick = () => { language = one.dataset.choice; renderAll(); };
  for (const one of find("themes").children) one.onclick = () => { themes.choice = one.dataset.choice; applyTheme(); renderAll(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { applyTheme(); renderAll(); });
  let pause = 0;
  addEventListener("resize", () => { clearTimeout(pause); pause = setTimeout(renderDetail, 150); });
  const choice = () => themes.choice;
  let before = choice();
  addEventListener("beforeprint", () => { before = choice(); themes.choice = "light"; table.printing = true; applyTheme(); renderAll(); });
  addEventListener("afterprint", () => { themes.choice = before; table.printing = false; applyTheme(); renderAll(); });
}

async function start() {
  applyTheme();
  listen();
  renderAll();
  if (typeof DecompressionStream === "undefined") {
    find("unsupported").hidden = false;
  } else if (ROWS) {
    find("course").hidden = find("rows").hidden = false;
    await startCourse();
    drawCourse();
    await startTable();
  }
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.painted = String(Math.round(performance.now())); // milliseconds, for tests
  }));
}

start();
