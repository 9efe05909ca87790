// The whole page: where one is stands behind the # of the address, so that a link leads to a column.
const EVERY = 15_000;

function place() {
  const written = new URLSearchParams(location.hash.slice(1));
  return { model: written.get("model"), window: written.get("window"), part: written.get("part"), column: written.get("column") };
}

function chooser(label, choose) {
  const select = h("select", { onchange: () => choose(select.value) });
  const element = h("label", {}, `${label} `, select);
  return {
    element,
    update(names, chosen) {
      element.hidden = names.length < 2;
      if (isNews(select, names)) select.replaceChildren(...names.map(([value, text]) => h("option", { value }, cut(text))));
      select.value = chosen;
    },
  };
}

// All models, those in trouble first: a line each, in the model's main window.
function overview(go) {
  const body = h("tbody");
  const summary = h("summary");
  const heads = head(["model", "verdict", "F1 now", "reference", "features moved"], (i) => i > 1);
  const element = h("details", {}, summary, h("div", { class: "wide" }, h("table", {}, heads, body)));
  const line = (model) => {
    const window = model.windows[0];
    const said = model.problems?.length ? [["bad", cut(model.problems[0])]] : window ? verdict(window, model.reference) : [["soft", "nothing read yet"]];
    return h("tr", {}, h("th", { scope: "row" }, h("button", { class: "open", onclick: () => go(model.model) }, named(model.model))), h("td", {}, sentences(said)), number(short(headline(window?.quality))), number(short(headline(model.reference?.quality))), number(percent(window?.data_drift_score)));
  };
  return {
    element,
    update(models) {
      element.hidden = models.length < 2;
      if (element.hidden) return;
      const inOrder = [...models].sort((a, b) => inTrouble(b) - inTrouble(a));
      const shown = inOrder.map((model) => [model.model, model.problems, model.reference?.quality, model.windows[0] && { ...model.windows[0], columns: model.windows[0].columns.map((column) => column.drifted) }]);
      if (element.told === undefined) element.open = models.length <= 12;
      if (!isNews(element, shown)) return;
      const bad = models.filter(inTrouble).length;
      say(summary, `${counted(models.length, "model")}, ${bad === 0 ? "none" : grouped(bad)} in trouble`);
      const at = [...body.children].findIndex((row) => row.contains(document.activeElement));
      const name = at < 0 ? null : body.children[at].told;
      body.replaceChildren(...inOrder.map((model) => Object.assign(line(model), { told: model.model })));
      if (name !== null) [...body.children].find((row) => row.told === name)?.querySelector("button").focus({ preventScroll: true });
    },
  };
}

const inTrouble = (model) => Boolean(model.problems?.length || model.windows.some((window) => window.data_drift_detected || window.prediction_drift_detected));

function page(settings, main) {
  const status = h("p", { role: "status", class: "bad" });
  const empty = h("p", {}, "No evaluation yet: the logs are being read.");
  const choosers = {
    model: chooser("model", (model) => go({ model, part: null, column: null })),
    window: chooser("window", (window) => go({ window })),
    part: chooser("rows", (part) => go({ part: part || null, column: null })),
  };
  const bar = h("nav", { class: "choosers", "aria-label": "what is shown" }, Object.values(choosers).map((chooser) => chooser.element));
  const view = modelView(settings, go);
  const all = overview((model) => go({ model, part: null, column: null }));
  main.append(status, all.element, bar, empty, view.element);
  let [report, history, asked] = [null, null, null];

  function go(change) {
    const next = { ...place(), ...change };
    if (typeof change.column === "string" && change.column === place().column) next.column = null;
    const hash = new URLSearchParams(Object.entries(next).filter(([, value]) => (value ?? null) !== null)).toString();
    window.history.replaceState(null, "", `#${hash}`);
    moved();
  }

  // What is asked for, or the first that is there.
  function found() {
    const at = place();
    const models = report?.models ?? [];
    const model = models.find((model) => model.model === at.model) ?? models.find(inTrouble) ?? models[0];
    const parts = [...(model?.versions ?? []), ...(model?.segments ?? [])];
    const part = parts.find((part) => part.name === at.part);
    const windows = (part ?? model)?.windows ?? [];
    const window = windows.find((window) => window.window === at.window) ?? windows[0];
    return { model, part, parts, windows, window, place: { model: model?.model, window: window?.window, part: part?.name ?? null, column: at.column } };
  }

  function draw() {
    const now = found();
    empty.hidden = Boolean(now.model) || report === null;
    [view.element.hidden, bar.hidden] = [!now.model, !now.model];
    const gone = now.place.column !== null && now.window && !now.window.columns.some((column) => column.column === now.place.column);
    say(status, status.lost ?? (gone ? `There is no column ${cut(now.place.column)} in this window.` : ""));
    all.update(report?.models ?? []);
    if (!now.model) return;
    choosers.model.update(report.models.map((model) => [model.model, inTrouble(model) ? `${model.model} (!)` : model.model]), now.place.model);
    choosers.window.update(now.windows.map((window) => [window.window, window.window]), now.place.window);
    choosers.part.update([["", "all"], ...now.parts.map((part) => [part.name, part.name])], now.place.part ?? "");
    view.update({ ...now, history });
  }

  const ask = (path) => fetch(path, { signal: AbortSignal.timeout(EVERY) });

  // Begins by forgetting what is of another place. Only the latest question's answer counts, in whatever order they come.
  async function recall() {
    const { model, window, part, column } = found().place;
    if (part || history?.model !== model || history?.window !== window) history = null;
    const question = new URLSearchParams({ model, window, ...(column === null ? {} : { column }) });
    asked = question;
    if (!settings.live || !model || !window || part) return;
    const past = await ask(`api/v1/history?${question}`).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    if (asked === question) history = past && { ...past, model, window, column };
  }

  async function moved() {
    const recalled = recall();
    draw();
    await recalled;
    draw();
  }

  async function refresh() {
    try {
      const answer = await ask("api/v1/report");
      if (!answer.ok) throw new Error(answer.status);
      report = await answer.json();
      status.lost = null;
    } catch {
      status.lost ??= `No answer from drift-sidecar since ${new Date().toLocaleTimeString()}${report ? "; what is shown is older" : ""}.`;
    }
    if (!status.lost) await recall();
    draw();
  }

  addEventListener("hashchange", moved);
  return {
    show: (next) => ((report = next), draw()),
    refresh,
  };
}

const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
const settings = read("settings");
const shownPage = page(settings, document.querySelector("main"));
if (settings.live) {
  shownPage.refresh();
  setInterval(() => document.hidden || shownPage.refresh(), EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || shownPage.refresh());
} else {
  shownPage.show(read("report"));
}
