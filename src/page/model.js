// One model in one window: the verdict in words, quality, columns, and what came in.
const headline = (found) => found?.f1 ?? found?.mean_absolute_error;
const MEASURES = { f1: "F1", mean_absolute_error: "mean absolute error" };

function verdict(window, reference) {
  const tested = window.columns.filter((column) => column.role === "feature" && typeof column.drifted === "boolean");
  const moved = tested.filter((column) => column.drifted);
  const said = [];
  if (window.data_drift_detected === true) said.push(["bad", `Drift: ${moved.length} of ${counted(tested.length, "feature")} moved.`]);
  else if (moved.length > 0) said.push(["warn", `${moved.length} of ${counted(tested.length, "feature")} moved, fewer than count as drift.`]);
  else if (tested.length > 0) said.push(["good", `No drift in ${counted(tested.length, "feature")}.`]);
  else said.push(["soft", "No verdict on drift: too few rows, or no feature that could be tested."]);
  if (window.prediction_drift_detected) said.push(["bad", "The predictions have moved."]);
  // Worth a word where neither side's errors explain it and people would care.
  const [now, then] = [window.quality?.f1, reference?.quality?.f1];
  const chance = 2 * Math.hypot(window.quality?.f1_standard_error ?? Infinity, reference?.quality?.f1_standard_error ?? 0);
  if (isNumber(now) && isNumber(then) && then - now > Math.max(chance, 0.02)) said.push(["bad", `F1 is ${(then - now).toFixed(3)} below the reference.`]);
  return said;
}

// A verdict's sentences, each in its colour.
const sentences = (said) => said.flatMap(([kind, text]) => [h("span", { class: kind }, text), " "]);

function tile(label) {
  const [value, note] = [h("span", { class: "value" }), h("span", { class: "soft" })];
  const element = h("div", { class: "tile" }, h("span", { class: "soft" }, label), value, note);
  return {
    element,
    update(text, more = "") {
      say(value, text);
      say(note, more);
    },
  };
}

// A frame that scrolls sideways where it is too narrow, by keyboard too.
const framed = (label) => ({ class: "wide", role: "region", tabindex: "0", "aria-label": label });

function logsTable(model) {
  const unused = (log) => [
    ...Object.entries(log.rows_dropped ?? {}).map(([reason, count]) => `${counted(count, "row")} ${words(reason)}`),
    ...Object.entries(log.files_failed ?? {}).map(([reason, count]) => `${counted(count, "file")} ${words(reason)}`),
    ...Object.entries(log.column_problems ?? {}).flatMap(([column, reasons]) => Object.entries(reasons).map(([reason, count]) => h("span", {}, "column ", named(column), ` ${reason === "type" ? "of another type" : reason} in ${counted(count, "file")}`))),
  ];
  const lines = (items) => (items.length ? items.slice(0, 20).map((item) => h("div", {}, item)) : "–");
  return h(
    "table",
    {},
    head(["log", "rows read", "newest row", "files", "not used"], (i) => i === 1),
    h("tbody", {}, model.logs.map((log) => h("tr", {}, h("th", { scope: "row" }, log.log), number(grouped(log.rows_read)), h("td", {}, moment(log.last_event)), h("td", {}, listed(log.files)), h("td", {}, lines(unused(log)))))),
  );
}

function ignoredList(model) {
  const ignored = Object.entries(model.reference?.ignored_columns ?? {});
  if (!ignored.length) return "";
  return h("div", {}, h("h3", {}, `Not compared: ${counted(ignored.length, "column")}`), h("ul", {}, ignored.map(([column, reason]) => h("li", {}, named(column), `: ${cut(reason)}`))));
}

function partsTable(model, name, go) {
  const parts = [...(model.versions ?? []).map((part) => ["version", part]), ...(model.segments ?? []).map((part) => ["segment", part])];
  const rows = parts.map(([what, part]) => [what, part, part.windows.find((window) => window.window === name)]).filter(([, , window]) => window);
  if (!rows.length) return "";
  const line = ([what, part, window]) =>
    h("tr", {}, h("th", { scope: "row" }, h("button", { class: "open", onclick: () => go(part.name) }, named(part.name)), h("small", {}, ` ${what}`)), number(grouped(window.rows)), number(short(headline(window.quality))), number(short(headline(window.estimate))), number(short(headline(part.reference.quality))), number(percent(window.data_drift_score)), h("td", { class: window.data_drift_detected ? "n bad" : "n" }, window.data_drift_detected ? "drift" : ""));
  return h("div", { class: "wide" }, h("table", {}, h("caption", {}, "Versions and segments"), head(["", "rows", "F1", "estimated", "reference", "features moved", "verdict"]), h("tbody", {}, rows.slice(0, 200).map(line))));
}

// `go(change)` asks for another place.
function modelView(settings, go) {
  const [title, spoken, facts, problems] = [h("h2"), h("p", { class: "words" }), h("p", { class: "soft" }), h("div")];
  const tiles = { now: tile("F1 now"), reference: tile("reference"), estimate: tile("estimated"), labels: tile("labelled"), drift: tile("features moved"), rows: tile("rows"), recent: tile("newest") };
  const past = quality();
  const caption = h("figcaption");
  const pastFigure = h("figure", { class: "quality", hidden: true }, caption, past.element);
  const columns = columnsTable(settings, (column) => go({ column: column }));
  const [together, parts, logs] = [h("div"), h("div"), h("div")];
  const more = h("details", {}, h("summary", {}, "What came in"), logs);
  return {
    element: h("section", {}, title, problems, spoken, facts, h("div", { class: "tiles" }, Object.values(tiles).map((tile) => tile.element)), pastFigure, columns.element, together, parts, more),
    update({ model, window, part, place, history }) {
      if (isNews(title, model.model)) title.replaceChildren(named(model.model));
      if (isNews(problems, model.problems)) problems.replaceChildren(...(model.problems ?? []).map((problem) => h("p", { class: "bad" }, cut(problem))));
      const reference = part?.reference ?? model.reference;
      for (const element of [spoken, facts, tiles.now.element.parentElement, columns.element, together]) element.hidden = !window;
      pastFigure.hidden = !(window && history?.at.length > 1 && history.measured.some(isNumber));
      if (window) {
        const said = verdict(window, reference);
        if (isNews(spoken, said)) spoken.replaceChildren(...sentences(said));
        const from = reference ? `compared with ${counted(reference.rows, "row")}` : "";
        say(facts, [window.start ? span(window.start, window.end) : "", from, model.evaluated_at ? `evaluated ${moment(model.evaluated_at)}` : ""].filter(Boolean).join(" · "));
        const [found, estimate] = [window.quality, window.estimate];
        const measure = MEASURES[isNumber(found?.mean_absolute_error) || isNumber(estimate?.mean_absolute_error) ? "mean_absolute_error" : "f1"];
        say(tiles.now.element.firstChild, `${measure} now`);
        const error = (value) => (isNumber(value) ? `± ${(2 * value).toFixed(3)}` : "");
        tiles.now.update(short(headline(found)), error(found?.f1_standard_error) || (found || window.labelled_rows === undefined ? "" : "too few outcomes yet"));
        tiles.reference.update(short(headline(reference?.quality)));
        const judged = isNumber(window.labelled_rows) || Boolean(found);
        for (const tile of [tiles.now, tiles.reference, tiles.labels]) tile.element.hidden = !judged;
        const isAccuracy = !isNumber(headline(estimate)) && isNumber(estimate?.accuracy);
        say(tiles.estimate.element.firstChild, isAccuracy ? "estimated accuracy" : `estimated ${measure}`);
        tiles.estimate.element.hidden = !estimate;
        tiles.estimate.update(short(headline(estimate) ?? estimate?.accuracy), isNumber(window.estimate_error) ? `off by ${window.estimate_error.toFixed(3)} where labels are there` : error(estimate?.f1_standard_error));
        tiles.labels.update(isNumber(window.labelled_rows) && window.rows ? percent(window.labelled_rows / window.rows) : "–", isNumber(window.labelled_rows) ? counted(window.labelled_rows, "row") : "no outcome log");
        tiles.drift.update(percent(window.data_drift_score), cut(window.data_drift_reason ?? ""));
        tiles.rows.update(grouped(window.rows), window.window);
        const recent = part ? null : model.recent;
        tiles.recent.element.hidden = !recent;
        if (recent) {
          say(tiles.recent.element.firstChild, `${measure}, newest labelled`);
          tiles.recent.update(short(headline(recent.quality)), recent.quality ? `${counted(recent.labelled_rows, "row")} since ${moment(recent.oldest)}` : "too few outcomes yet");
        }
        say(caption, `${measure} over time${isAccuracy ? "; the estimate is of accuracy" : ""}`);
        if (!pastFigure.hidden) past.update(history, headline(reference?.quality));
        const [tests, undefinedTests] = [window.multivariate ?? [], notMade(window.multivariate_undefined)];
        if (isNews(together, [tests, window.multivariate_undefined])) {
          const any = tests.length + undefinedTests.length > 0;
          together.replaceChildren(...(any ? [h("h3", {}, "All features at once"), h("div", framed("tests of all features at once"), testsTable({ tests }, settings.methods)), ...undefinedTests] : []));
        }
        const key = JSON.stringify([place.model, place.window, place.part]);
        columns.update({ columns: window.columns, opened: place.column, history, address: place, key });
      }
      if (isNews(parts, [model.versions, model.segments, window?.window, Boolean(part)])) parts.replaceChildren(part ? "" : partsTable(model, window?.window, (name) => go({ part: name, column: null })));
      more.hidden = !model.logs?.length && !model.reference?.ignored_columns;
      if (!isNews(logs, [model.logs, model.pairing, model.pending_predictions, model.reference?.ignored_columns])) return;
      const pairs = Object.keys(model.pairing ?? {}).length ? h("p", { class: "soft" }, `Pairs: ${listed(model.pairing)}. Predictions that wait for their outcome: ${grouped(model.pending_predictions)}.`) : "";
      logs.replaceChildren(h("div", framed("what came in"), model.logs?.length ? logsTable(model) : ""), pairs, ignoredList(model));
    },
  };
}
