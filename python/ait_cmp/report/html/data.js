// The columns of the table: gzip in base64, one element a column, unpacked when it is first asked for.

const REPORT = JSON.parse(find("report").textContent);
const RESULT = REPORT.result;
const ROWS = REPORT.rows;

class Column {
  constructor(description, bytes) {
    Object.assign(this, description); // name, kind
    if (this.kind === "text") {
      const size = new DataView(bytes.buffer).getUint32(0, true);
      this.words = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
      this.codes = numbers(bytes.subarray(4 + size), description.type);
    } else {
      this.values = numbers(bytes, description.type);
      this.isNan = description.has_nan ? bytes.subarray(ROWS * this.values.BYTES_PER_ELEMENT) : null;
      this.isEmpty = description.empty === undefined
        ? (row) => Number.isNaN(this.values[row]) && !this.isNan?.[row]
        : (row) => this.values[row] === description.empty;
    }
  }

  /** The cell as a text: "" where it is empty. */
  text(row) {
    if (this.kind === "text") return this.words[this.codes[row]];
    if (this.isEmpty(row)) return "";
    const value = this.values[row];
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    return String(this.type === "f32" ? Number(value.toPrecision(7)) : value);
  }

  /** The cell as a number, NaN where it is none. */
  number(row) {
    if (this.kind === "text") return NaN;
    return this.isEmpty(row) ? NaN : this.values[row];
  }
}

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array };

/** ROWS numbers that are stored as all their first bytes, all their second bytes and so on. */
function numbers(bytes, type) {
  const values = new ARRAYS[type](ROWS);
  const size = values.BYTES_PER_ELEMENT, to = new Uint8Array(values.buffer);
  for (let part = 0; part < size; part++)
    for (let row = 0, from = part * ROWS; row < ROWS; row++) to[row * size + part] = bytes[from + row];
  return values;
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const loading = new Map();
const loaded = new Map();
const COLUMN_NAMES = REPORT.columns.map((column) => column.name);

/** Unpacks columns that are not yet; those that the report does not have are left out. */
async function load(...names) {
  await Promise.all(names.filter((name) => COLUMN_NAMES.includes(name)).map((name) => {
    if (!loading.has(name)) {
      const place = COLUMN_NAMES.indexOf(name), element = find(`column-${place}`);
      loading.set(name, unpacked(element.textContent.trim()).then((bytes) => {
        loaded.set(name, new Column(REPORT.columns[place], bytes));
        element.remove();
      }));
    }
    return loading.get(name);
  }));
}

const text = (name, row) => loaded.get(name)?.text(row) ?? "";

/** The cell as a person reads it: its sentences in the language of the page. */
const cellText = (name, row) => (name === "cmp_fail_reason" ? inLanguage(text(name, row)) : text(name, row));
const number = (name, row) => loaded.get(name)?.number(row) ?? NaN;

/** Place of the row with this rank and data_id, -1 if the page does not hold it. */
async function rowOf(rank, dataId) {
  if (dataId === null || dataId === undefined || typeof DecompressionStream === "undefined") return -1;
  await load("rank", "data_id");
  const ranks = loaded.get("rank"), ids = loaded.get("data_id");
  for (let row = 0; row < ROWS; row++)
    if (ids.number(row) === dataId && (!ranks || ranks.number(row) === rank)) return row;
  return -1;
}
