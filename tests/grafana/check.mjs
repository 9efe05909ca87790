// Checks the dashboards by type and by structure, and shows with seeded faults that each check can fail.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { structureFaults } from "./structure.mjs";
import { panels, typeFaults } from "./typed.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const grafana = join(here, "..", "..", "monitoring", "grafana");
const provisioning = join(grafana, "provisioning");

function read() {
  const folder = join(provisioning, "dashboards");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  return Object.fromEntries(
    names.map((name) => [name.replace(".json", ""), JSON.parse(readFileSync(join(folder, name), "utf8"))]),
  );
}

function sources() {
  const text = readFileSync(join(provisioning, "datasources", "prometheus.yml"), "utf8");
  return [...text.matchAll(/^ +uid: (\S+)$/gm)].map((found) => found[1]);
}

function staleFaults() {
  const { status, stdout, stderr } = spawnSync("python3", [join(grafana, "dashboards.py"), "--check"], {
    encoding: "utf8",
  });
  return status === 0 ? [] : [`${stdout}${stderr}`.trim()];
}

const first = (board, kind) => panels(board).find((panel) => panel.type === kind);

// A fault, and a word of the sentence that must be said of it. Those of one kind are seeded together.
const TYPE_FAULTS = [
  [(board) => (board.titel = "x"), "titel"],
  [(board) => (board.refresh = 15), "'number' is not assignable"],
  [(board) => (first(board, "stat").options.colorMod = "value"), "colorMod"],
  [(board) => (first(board, "stat").fieldConfig.defaults.units = "s"), "units"],
  [(board) => (first(board, "timeseries").fieldConfig.defaults.custom.lineWidth = "2"), "lineWidth|'string' is not"],
  [(board) => (first(board, "timeseries").options.tooltip.mode = "many"), '"many"'],
  [(board) => (first(board, "table").options.sortBy = [{ name: "x" }]), "sortBy|displayName|'name'"],
  [(board) => (first(board, "timeseries").targets[0].legend = "x"), "legend"],
];
const STRUCTURE_FAULTS = [
  [(board) => (board.panels[2].gridPos.x = board.panels[1].gridPos.x), "overlap"],
  [(board) => (board.panels[1].gridPos.w = 25), "outside the 24 columns"],
  [(board) => delete first(board, "stat").description, "no description"],
  [(board) => delete first(board, "stat").fieldConfig.defaults.unit, "neither unit nor mappings"],
  [(board) => (first(board, "timeseries").fieldConfig.defaults.thresholds.steps = []), "no thresholds"],
  [(board) => (panels(board)[3].id = 1), "a panel id twice"],
  [(board) => (first(board, "stat").targets[0].datasource.uid = "loki"), "unknown data source"],
  [(board) => delete first(board, "stat").targets[0].legendFormat, "no legendFormat"],
  [(board) => (board.links[0].url = "/d/nowhere"), "leads nowhere"],
  [(board) => (first(board, "stat").targets[0].expr = 'up{x="$nothing"}'), "$nothing is used and is no variable"],
  [(board) => (first(board, "stat").targets[0].expr = "rate(x_total[5m])"), "use $__rate_interval"],
  [(board) => (board.templating.list = board.templating.list.slice(1)), "which stands after it or nowhere"],
];

/** Sentences about seeded faults that nothing was said of. */
function unseen(boards, seeds, check) {
  return seeds.flatMap(([seed, word]) => {
    const broken = structuredClone(boards);
    seed(broken.drift_and_f1_dashboard);
    const faults = check(broken);
    const seen = word.split("|").some((part) => faults.some((fault) => fault.includes(part)));
    return seen ? [] : [`a seeded fault was not seen (${word}): ${seed}\n  said: ${faults.join("\n") || "nothing"}`];
  });
}

const boards = read();
const uids = sources();
const faults = [
  ...(Object.keys(boards).length === 3 ? [] : ["there are not three dashboards"]),
  ...typeFaults(boards, here),
  ...structureFaults(boards, uids),
  ...staleFaults(),
  ...unseen(boards, TYPE_FAULTS, (broken) => typeFaults(broken, here)),
  ...unseen(boards, STRUCTURE_FAULTS, (broken) => structureFaults(broken, uids)),
];
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
const count = Object.values(boards).flatMap(panels).filter((panel) => panel.type !== "row").length;
const seeded = TYPE_FAULTS.length + STRUCTURE_FAULTS.length;
console.log(`3 dashboards, ${count} panels well; ${seeded} of ${seeded} seeded faults seen`);
