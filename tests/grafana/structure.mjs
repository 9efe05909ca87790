// What Grafana's types do not say of a dashboard: places, descriptions, units, thresholds, links, variables.

import { panels } from "./typed.mjs";

const KINDS = ["stat", "table", "timeseries", "heatmap"];
const BUILT_IN = ["__interval", "__rate_interval", "__range", "__from", "__to", "__all", "__value", "__field"];

function overlaps(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Panels of one level: inside the 24 columns, and no two on one place. */
function placeFaults(level) {
  const faults = [];
  for (const [i, panel] of level.entries()) {
    const { x, y, w, h } = panel.gridPos;
    if (x < 0 || y < 0 || w < 1 || h < 1 || x + w > 24) faults.push(`panel ${panel.id} is outside the 24 columns`);
    for (const other of level.slice(i + 1)) {
      if (overlaps(panel.gridPos, other.gridPos)) faults.push(`panels ${panel.id} and ${other.id} overlap`);
    }
  }
  return faults;
}

function targetFaults(target, sources) {
  const faults = [];
  if (!target.expr) faults.push("has a target without expr");
  if (!target.legendFormat) faults.push(`target ${target.refId} has no legendFormat`);
  if (!sources.includes(target.datasource?.uid)) faults.push(`target ${target.refId} asks an unknown data source`);
  if (/rate\([^)]*\[\d+[smhd]\]/.test(target.expr)) {
    faults.push(`target ${target.refId} takes a rate over a fixed time; use $__rate_interval`);
  }
  return faults;
}

function panelFaults(panel, sources) {
  const faults = [];
  const say = (fault) => faults.push(`panel ${panel.id} (${panel.title}): ${fault}`);
  const defaults = panel.fieldConfig?.defaults ?? {};
  if (!KINDS.includes(panel.type)) say(`is of the unexpected type ${panel.type}`);
  if (!panel.title?.trim()) say("has no title");
  if ((panel.description ?? "").trim().length < 20) say("has no description");
  if (!defaults.unit && !defaults.mappings?.length) say("has neither unit nor mappings");
  const steps = defaults.thresholds?.steps ?? [];
  if (steps.length === 0 || steps[0].value !== null) say("has no thresholds that begin at the bottom");
  if (steps.slice(2).some((step, i) => step.value <= steps[i + 1].value)) say("has thresholds that do not rise");
  if (!sources.includes(panel.datasource?.uid)) say("has an unknown data source");
  if (!panel.targets?.length) say("asks nothing");
  const ids = (panel.targets ?? []).map((target) => target.refId);
  if (new Set(ids).size !== ids.length) say("has a refId twice");
  for (const target of panel.targets ?? []) targetFaults(target, sources).forEach(say);
  return faults;
}

/** Names after a `$`, in queries, titles and texts. */
function usedVariables(board) {
  const { templating, ...rest } = board;
  const names = [...JSON.stringify(rest).matchAll(/\$\{?(\w+)/g)].map((found) => found[1]);
  return new Set([...names, ...board.panels.flatMap((panel) => panel.repeat ?? [])]);
}

function variableFaults(board) {
  const faults = [];
  const known = new Set();
  for (const variable of board.templating.list) {
    const query = variable.query.query ?? variable.query;
    for (const [, name] of query.matchAll(/\$\{?(\w+)/g)) {
      if (!known.has(name)) faults.push(`variable ${variable.name} needs ${name}, which stands after it or nowhere`);
    }
    if (!variable.description) faults.push(`variable ${variable.name} has no description`);
    known.add(variable.name);
  }
  const used = usedVariables(board);
  for (const name of used) {
    if (!known.has(name) && !BUILT_IN.includes(name)) faults.push(`$${name} is used and is no variable`);
  }
  for (const name of known) {
    const feeds = board.templating.list.some((variable) => (variable.query.query ?? variable.query).includes(`$${name}`));
    if (!used.has(name) && !feeds) faults.push(`variable ${name} is used nowhere`);
  }
  return faults;
}

function linkFaults(board, uids) {
  const faults = [];
  for (const link of board.links) {
    const uid = /^\/d\/([\w-]+)$/.exec(link.url)?.[1];
    if (!uids.includes(uid)) faults.push(`the link to ${link.url} leads nowhere`);
    if (!link.keepTime || !link.includeVars) faults.push(`the link to ${link.url} loses the time or the variables`);
  }
  for (const uid of uids.filter((uid) => uid !== board.uid)) {
    if (!board.links.some((link) => link.url === `/d/${uid}`)) faults.push(`there is no link to ${uid}`);
  }
  return faults;
}

/** Faults of all boards together, one sentence each. `sources` are the uids of the data sources that are provided. */
export function structureFaults(boards, sources) {
  const uids = Object.values(boards).map((board) => board.uid);
  const faults = uids.filter((uid, i) => uids.indexOf(uid) !== i).map((uid) => `two dashboards have the uid ${uid}`);
  for (const [name, board] of Object.entries(boards)) {
    const found = [];
    const all = panels(board);
    const ids = all.map((panel) => panel.id);
    if (new Set(ids).size !== ids.length) found.push("has a panel id twice");
    found.push(...placeFaults(board.panels));
    for (const row of board.panels.filter((panel) => panel.type === "row")) found.push(...placeFaults(row.panels));
    for (const panel of all.filter((panel) => panel.type !== "row")) found.push(...panelFaults(panel, sources));
    for (const mark of board.annotations.list.filter((mark) => !mark.builtIn)) {
      if (mark.expr !== mark.target?.expr) found.push(`annotation ${mark.name} says two different expressions`);
      if (!sources.includes(mark.datasource?.uid)) found.push(`annotation ${mark.name} asks an unknown data source`);
    }
    found.push(...variableFaults(board), ...linkFaults(board, uids));
    if (board.schemaVersion < 39) found.push("has a schemaVersion before Grafana 11");
    if (!board.uid || !board.tags?.length) found.push("lacks uid or tags");
    if (board.refresh !== "15s") found.push("is not refreshed every 15s");
    faults.push(...found.map((fault) => `${name}: ${fault}`));
  }
  return faults;
}
