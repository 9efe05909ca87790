// One column, opened: its plots, its tests, and the numbers of both sides.
const SIDES = [
  ["rows", (c) => c.reference_rows, (c) => c.current_rows, grouped],
  ["missing", (c) => c.missing_ratio_reference, (c) => c.missing_ratio, percent],
  ["unseen", (c) => c.unseen_ratio_reference, (c) => c.unseen_ratio, percent],
  ["infinite", (c) => c.infinite_ratio_reference, (c) => c.infinite_ratio, percent],
  ["outside the reference's range", (c) => c.out_of_range_ratio_reference, (c) => c.out_of_range_ratio, percent],
  ["mean", (c) => c.summary_reference?.mean, (c) => c.summary?.mean, short],
  ["standard deviation", (c) => c.summary_reference?.standard_deviation, (c) => c.summary?.standard_deviation, short],
];

const number = (text) => h("td", { class: "n" }, text);
const head = (names, isNumeric = (i) => i > 0) => h("thead", {}, h("tr", {}, names.map((name, i) => h("th", { scope: "col", class: isNumeric(i) ? "n" : null }, name))));
const figure = (title, chart, note) => h("figure", {}, h("figcaption", {}, title), chart.element, note);

function sidesTable(column) {
  const rows = SIDES.filter(([, before, now]) => isNumber(before(column)) || isNumber(now(column)));
  const row = ([name, before, now, written]) => h("tr", {}, h("th", { scope: "row" }, name), number(written(before(column))), number(written(now(column))));
  return h("table", {}, head(["", "reference", "window"]), h("tbody", {}, rows.map(row)));
}

function testsTable(column, methods) {
  const verdict = (test) => (test.drifted ? h("span", { class: "bad" }, "drift") : "ok");
  const limit = (test) => (isNumber(test.threshold) ? short(test.threshold) : `p < ${test.alpha}`);
  const rows = column.tests.flatMap((test) => [
    h("tr", {}, h("th", { scope: "row" }, test.method), number(short(test.score)), number(limit(test)), number(short(test.noise)), number(isNumber(test.p_value) ? Number(test.p_value.toPrecision(2)) : "–"), h("td", { class: "n" }, verdict(test))),
    h("tr", { class: "about" }, h("td", { colspan: 6 }, methods[test.method] ?? "")),
  ]);
  return h("table", {}, head(["test", "score", "limit", "noise", "p-value", "verdict"]), h("tbody", {}, rows));
}

const notMade = (tests) => Object.entries(tests ?? {}).map(([method, why]) => h("p", { class: "soft" }, `${method}: ${why}`));

// `history` of the column, or null where there is none.
function columnView({ methods, prometheus }) {
  const [bins, sums, bars, past] = [histogram(), cumulative(), categories(), scores()];
  const gap = h("p", { class: "soft" });
  const reason = h("p", { class: "reason" });
  const figures = {
    bins: figure("How the values lie, in the reference's bins", bins),
    sums: figure("Share of values below", sums, gap),
    bars: figure("Shares of the categories", bars),
    past: figure("Score over time", past),
  };
  const nothing = h("p", { class: "soft" }, "There is no distribution to draw: no rows on one side, or a kind that has none.");
  const [plots, tables] = [h("div", { class: "plots" }), h("div", { class: "tables" })];
  return {
    element: h("div", { class: "detail" }, reason, plots, tables),
    update(column, history, address) {
      const drawn = column.distribution;
      const isNumbers = Boolean(drawn?.edges);
      const shown = [];
      if (!drawn) shown.push(nothing);
      else if (isNumbers) shown.push(figures.bins, ...(drawn.edges.length > 1 ? [figures.sums] : []));
      else shown.push(figures.bars);
      if (history?.at.length > 1 && history.score && history.column === column.column) shown.push(figures.past);
      keep(plots, shown);
      if (drawn && isNumbers) {
        bins.update(drawn);
        if (drawn.edges.length > 1) say(gap, sums.update(drawn));
      }
      if (shown.includes(figures.past)) {
        say(figures.past.firstChild, `Score of ${column.tests[0]?.method ?? "the first test"} over time`);
        past.update(history);
      }
      if (!isNews(tables, column)) return;
      say(reason, cut(column.reason));
      if (drawn && !isNumbers) bars.update(drawn);
      const query = `drift_score{model="${quoted(address.model)}",column="${quoted(column.column)}"}`;
      const link = prometheus ? h("p", {}, h("a", { href: `${prometheus}/graph?g0.tab=0&g0.expr=${encodeURIComponent(query)}` }, "this score in Prometheus")) : null;
      tables.replaceChildren(sidesTable(column), h("div", {}, testsTable(column, methods), notMade(column.undefined), link ?? ""));
    },
  };
}

const quoted = (text) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
