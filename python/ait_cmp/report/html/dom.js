// Small helpers. Names from files reach the page through `textContent` alone.

// Characters that are invisible or change how their neighbours are shown.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text from a file as it may be shown: what would be invisible is spelled out. */
function shown(text) {
  return String(text ?? "").replace(HIDDEN, (one) => {
    const code = one.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const find = (id) => document.getElementById(id);

/** An element with properties and children; texts become text nodes. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const named = (text) => make("span", { className: "name", textContent: shown(text) });

/** A sentence: it may hold names from files. */
const spoken = (text) => make("span", { className: "spoken", textContent: shown(text) });

function button(label, onclick, properties = {}) {
  return make("button", { type: "button", textContent: label, onclick, ...properties });
}

/** A number of the result: numbers, or the texts nan, inf and -inf. */
function numberOf(value) {
  if (typeof value === "number") return value;
  if (value === "inf" || value === "-inf") return value === "inf" ? Infinity : -Infinity;
  return NaN;
}

/** A number in few digits. */
function brief(value, digits = 3) {
  if (value === null || value === undefined || value === "") return "–";
  const number = numberOf(value);
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e7) return String(number);
  const text = number.toPrecision(digits);
  return size < 1e-3 || size >= 1e7 ? Number(text).toExponential() : String(Number(text));
}

const grouped = (number) => Number(number).toLocaleString("en").replace(/,/g, " ");

/** A word as a POSIX shell reads it. */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'"'"'`)}'`;
}

/** The command that shows more of a tensor and its counterpart. */
function moreCommand(my, golden) {
  return ["ait-cmp", golden ? "diff" : "show", my, golden].filter(Boolean).map(quoted).join(" ");
}

/** Copies a text and says so on the button. */
async function copy(text, pressed) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { value: text, readOnly: true });
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  const label = pressed.textContent;
  pressed.textContent = done ? t("copied") : t("not_copied");
  setTimeout(() => { pressed.textContent = label; }, 1200);
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A canvas of the size that it is shown in: its context, and that size in CSS pixels. */
function canvasOf(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return { context, width, height };
}

/** Puts lines of text beside the pointer, or hides them. */
function showTip(plot, event, lines) {
  const tip = plot.querySelector(".tip");
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren(...lines.map((line) => make("div", {}, line)));
  const { left, top, width } = plot.getBoundingClientRect();
  const x = event.clientX - left, y = event.clientY - top;
  tip.style.left = `${Math.max(0, Math.min(x + 14, width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(0, y - tip.offsetHeight - 12)}px`;
}
