// Writes TypeScript in which each dashboard and each panel is a literal of Grafana's own type, and asks tsc about it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CONFIGS = { stat: "Stat", table: "Table", timeseries: "TimeSeries", heatmap: "Heatmap" };
const FOLDER = "@grafana/schema/dist/esm/raw/composable";

// JSON has no enums: a literal of an enum's value stands for the enum. Annotations of Prometheus carry keys that
// the schema leaves to the data source.
const HEADER = `import type * as schema from "@grafana/schema";
import type { Dashboard, Panel, RowPanel } from "@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen.js";
import type { AnnotationQuery } from "@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen.js";
${Object.entries(CONFIGS)
  .map(([kind, name]) => `import type * as ${kind} from "${FOLDER}/${kind}/panelcfg/x/${name}PanelCfg_types.gen.js";`)
  .join("\n")}
type Plain<T> = T extends string ? \`\${T}\` : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Target = { refId: string; expr: string; interval?: string };
type Mark = Omit<AnnotationQuery, "target"> & { target?: Target; expr?: string; step?: string; titleFormat?: string;
  textFormat?: string; tagKeys?: string; useValueForTime?: boolean };
type Board = Plain<Omit<Dashboard, "annotations" | "panels">> & { annotations: { list: Plain<Mark>[] };
  panels: (Plain<Panel> | Plain<RowPanel>)[] };
type Query = Target & { datasource: schema.DataSourceRef; legendFormat: string; range: boolean; instant: boolean;
  editorMode: "code"; format?: "table" | "heatmap" | "time_series" };
type Custom<T, F> = Omit<T, "custom"> & { custom?: Partial<F> };
type Typed<Kind extends string, O, F> = Plain<Omit<Panel, "type" | "options" | "targets" | "fieldConfig">> & {
  type: Kind; options: Plain<O>; targets: Query[];
  fieldConfig: { defaults: Plain<Custom<schema.FieldConfig, F>>;
    overrides: Plain<schema.FieldConfigSource["overrides"]> } };
${Object.keys(CONFIGS)
  .map((kind) => [kind, kind === "stat" ? "{}" : `${kind}.FieldConfig`])
  .map(([kind, custom]) => `type Panel_${kind} = Typed<"${kind}", ${kind}.Options, ${custom}>;`)
  .join("\n")}
`;

/** All panels of a dashboard, those of collapsed rows too. */
export function panels(board) {
  return board.panels.flatMap((panel) => (panel.type === "row" ? [panel, ...panel.panels] : [panel]));
}

function source(boards) {
  const lines = [];
  for (const [name, board] of Object.entries(boards)) {
    lines.push(`export const ${name}: Board = ${JSON.stringify(board)};`);
    for (const panel of panels(board).filter((panel) => panel.type in CONFIGS)) {
      lines.push(`export const ${name}_panel_${panel.id}: Panel_${panel.type} = ${JSON.stringify(panel)};`);
    }
  }
  return `${HEADER}${lines.join("\n")}\n`;
}

/** What tsc says of the boards, one sentence a fault; none when all is well. */
export function typeFaults(boards, here) {
  const folder = mkdtempSync(join(here, "node_modules", ".typed-"));
  try {
    const path = join(folder, "boards.ts");
    const text = source(boards);
    writeFileSync(path, text);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
    const tsc = join(here, "node_modules", "typescript", "bin", "tsc");
    const { stdout, stderr, status } = spawnSync("node", [tsc, ...options, path], { encoding: "utf8" });
    const names = text.split("\n").map((line) => /^export const (\w+)/.exec(line)?.[1]);
    const faults = stdout.split("\n").filter((line) => /\(\d+,\d+\): error/.test(line));
    if (status !== 0 && faults.length === 0) return [`tsc failed: ${stdout}${stderr}`];
    return faults.map((line) => {
      const [, number, said] = /\((\d+),\d+\): error (.*)/.exec(line);
      return `${names[number - 1] ?? "types"}: ${said.slice(0, 400)}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
