// The table of a window's columns: what moved most first, so many on a page, those that match the filter.
const ON_A_PAGE = 50;
const ROLES = { prediction: "the prediction", descriptor: "of a text" };

function columnRow(open) {
  const name = h("span");
  const button = h("button", { class: "open", "aria-expanded": "false", onclick: () => open(button.column) }, name);
  const cells = Object.fromEntries(["kind", "picture", "method", "score", "limit", "noise", "missing", "verdict"].map((key) => [key, h("td", { class: ["score", "limit", "noise", "missing"].includes(key) ? `n ${key}` : key })]));
  const [value, fraction] = [h("span"), h("span", { class: "fill" })];
  cells.score.append(value, h("span", { class: "reach", "aria-hidden": "true" }, fraction));
  const element = h("tr", {}, h("th", { scope: "row" }, button), Object.values(cells));
  return {
    element,
    update(column, isOpen) {
      if (button.column !== column.column) {
        button.column = column.column;
        name.replaceChildren(named(column.column), ROLES[column.role] ? h("small", {}, ` ${ROLES[column.role]}`) : "");
      }
      attribute(button, "aria-expanded", String(isOpen));
      attribute(element, "class", isOpen ? "open" : null);
      const test = shown(column);
      say(cells.kind, column.kind);
      if (isNews(cells.picture, column.distribution)) cells.picture.replaceChildren(column.distribution ? spark(column.distribution) : "");
      say(cells.method, test?.method ?? "–");
      say(value, short(test?.score));
      fraction.style.width = `${Math.min(100, 50 * (test ? reach(test) : 0)).toFixed(1)}%`;
      attribute(fraction, "class", column.drifted ? "fill over" : "fill");
      say(cells.limit, isNumber(test?.threshold) ? short(test.threshold) : test ? `p < ${test.alpha}` : "–");
      say(cells.noise, short(test?.noise));
      say(cells.missing, percent(column.missing_ratio));
      say(cells.verdict, column.drifted === true ? "drift" : column.drifted === false ? "ok" : "no test");
      attribute(cells.verdict, "class", column.drifted ? "verdict bad" : "verdict");
    },
  };
}

// `open(name)` is asked when a column is clicked.
function columnsTable(settings, open) {
  const body = h("tbody");
  const [count, before, after] = [h("span", { class: "soft" }), h("button", { onclick: () => turn(-1) }, "previous"), h("button", { onclick: () => turn(1) }, "next")];
  const filter = h("input", { type: "search", placeholder: "filter columns", "aria-label": "filter columns by name", oninput: () => ((page = 0), draw()) });
  const heads = [["column"], ["kind", "kind"], ["reference and window", "picture"], ["method", "method"], ["score", "n score"], ["limit", "n limit"], ["noise", "n noise"], ["missing", "n missing"], ["verdict", "verdict"]];
  const tools = h("div", { class: "tools" }, filter, count, before, after);
  const table = h("table", { class: "columns" }, h("caption", {}, "Columns, what moved most first"), h("thead", {}, h("tr", {}, heads.map(([text, kind]) => h("th", { scope: "col", class: kind }, text)))), body);
  let [page, rows, state] = [0, new Map(), null];
  let detail = null;

  function turn(by) {
    page += by;
    draw();
  }

  // `follows`: the table turns to the open column's page, if the column was in sight.
  function draw(follows = false) {
    const { columns, opened, history, address } = state;
    const wanted = filter.value.trim().toLowerCase();
    const found = sorted(columns).filter((column) => column.column.toLowerCase().includes(wanted));
    const at = found.findIndex((column) => column.column === opened);
    if (at >= 0 && (detail === null || (follows && detail.row.isConnected))) page = Math.floor(at / ON_A_PAGE);
    page = Math.max(0, Math.min(page, Math.ceil(found.length / ON_A_PAGE) - 1));
    const part = found.slice(page * ON_A_PAGE, (page + 1) * ON_A_PAGE);
    const lines = [];
    for (const column of part) {
      const row = rows.get(column.column) ?? columnRow(open);
      rows.set(column.column, row);
      const isOpen = column.column === opened;
      row.update(column, isOpen);
      lines.push(row.element);
      if (isOpen) {
        detail ??= { name: opened, view: columnView(settings) };
        detail.row ??= h("tr", { class: "panel" }, h("td", { colspan: heads.length }, detail.view.element));
        lines.push(detail.row);
      }
    }
    keep(body, lines);
    if (detail && detail.row?.isConnected) detail.view.update(columns.find((column) => column.column === opened), history, address);
    tools.hidden = columns.length <= 8;
    const many = found.length > ON_A_PAGE;
    say(count, many ? `${page * ON_A_PAGE + 1} to ${page * ON_A_PAGE + part.length} of ${grouped(found.length)}` : counted(found.length, "column"));
    [before.hidden, after.hidden] = [!many, !many];
    [before.disabled, after.disabled] = [page === 0, (page + 1) * ON_A_PAGE >= found.length];
  }

  return {
    element: h("div", {}, tools, h("div", { class: "wide" }, table)),
    update(next) {
      if (state && next.key !== state.key) {
        rows = new Map();
        page = 0;
        detail = null;
      }
      if (detail && detail.name !== next.opened) detail = null;
      state = next;
      draw(true);
    },
  };
}
