// Elements and words. Text from data becomes text nodes and attributes only, never markup.
const CHARS_MAX = 300;

function cut(text) {
  const characters = Array.from(String(text).slice(0, 2 * CHARS_MAX));
  return characters.length > CHARS_MAX || String(text).length > 2 * CHARS_MAX ? characters.slice(0, CHARS_MAX).join("") + "…" : String(text);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// A name from the data, kept from turning the text around it.
function named(text) {
  if (text === "") return h("i", {}, "no name");
  return h("bdi", { title: String(text).length > CHARS_MAX ? null : text }, cut(text));
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// The children, in this order; those that are there already stay or move, and keep the focus: a move alone would lose it.
function keep(parent, children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// Whether an element shows other data than these; it is taken to show these from now on.
function isNews(element, data) {
  const now = JSON.stringify(data) ?? "";
  const news = element.told !== now;
  element.told = now;
  return news;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function short(value) {
  if (!isNumber(value)) return "–";
  if (value !== 0 && Math.abs(value) < 0.0005) return value.toExponential(1);
  if (Math.abs(value) < 100) return value.toFixed(3);
  return Math.abs(value) < 1e6 ? grouped(Math.round(value)) : value.toPrecision(3);
}

function grouped(count) {
  return isNumber(count) ? String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–";
}

function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function percent(ratio) {
  return isNumber(ratio) ? `${(100 * ratio).toFixed(1)} %` : "–";
}

function moment(text) {
  return text ? text.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC") : "–";
}

// From the first to the second; the day once where it is the same.
function span(start, end) {
  const [first, last] = [moment(start).replace(" UTC", ""), moment(end)];
  return `${first} to ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`;
}

function words(reason) {
  return reason.replaceAll("_", " ");
}

function listed(counts) {
  return Object.entries(counts).filter(([, count]) => count > 0).map(([what, count]) => `${grouped(count)} ${words(what)}`).join(", ") || "–";
}

// How near its limit a test is: 1 at the limit.
function reach(test) {
  if (isNumber(test.threshold)) return test.threshold > 0 ? test.score / test.threshold : Infinity;
  const p = test.p_value_adjusted ?? test.p_value;
  return isNumber(test.alpha) && isNumber(p) ? Math.log(Math.max(p, 1e-300)) / Math.log(test.alpha) : 0;
}

// The test that decided, else the column's first.
function shown(column) {
  return column.tests.find((test) => test.drifted) ?? column.tests[0];
}

// What moved most first, what cannot be tested last.
function sorted(columns) {
  const worst = new Map(columns.map((column) => [column, Math.max(-1, ...column.tests.map(reach))]));
  const moved = (column) => (column.drifted === true ? 1 : 0);
  return [...columns].sort((a, b) => moved(b) - moved(a) || worst.get(b) - worst.get(a));
}

function shares(counts) {
  const sum = counts.reduce((total, count) => total + count, 0);
  return counts.map((count) => (sum > 0 ? count / sum : 0));
}
