// Writes the pictures of docs/images: the demo's live page and HTML report when its data have drifted.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BINARY, browse, demo, folder, htmlReport, open, ROOT } from "./site.mjs";

const browser = await browse();
const shop = await demo();
const to = (name) => ({ path: join(ROOT, "docs", "images", name) });

const page = await open(browser, { viewport: { width: 1180, height: 1080 } });
await page.goto(shop.url);
// Long enough for the plots over time to show the fall.
for (let waited = 0; waited < 120 || !(await page.locator("p.words").textContent()).includes("Drift:"); waited += 1) await page.waitForTimeout(1000);
await page.reload();
await page.locator("table.columns button.open").first().click();
await page.locator(".panel canvas").nth(2).waitFor();
await page.screenshot(to("page.png"));
await page.emulateMedia({ colorScheme: "dark" });
await page.waitForTimeout(300);
await page.screenshot(to("page-dark.png"));
const phone = await open(browser, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
await phone.goto(shop.url);
await phone.locator("table.columns button.open").first().waitFor();
await phone.screenshot(to("page-phone.png"));

const requests = readdirSync(join(folder, "demo", "requests")).filter((name) => name.endsWith(".parquet")).sort().slice(-40);
const file = htmlReport(join(folder, "demo", "reference.parquet"), requests.map((name) => join(folder, "demo", "requests", name)));
const report = await open(browser, { viewport: { width: 1180, height: 900 } });
await report.goto(`file://${file}`);
await report.getByRole("button", { name: "device" }).click();
await report.locator(".panel .bars").waitFor();
await report.screenshot(to("report.png"));
// The terminal: what `compare` writes to one, its colours as the page's.
const command = `stty cols 132; ${BINARY} compare --reference ${join(folder, "demo", "reference.parquet")} --current ${requests.map((name) => join(folder, "demo", "requests", name)).join(" ")}`;
const written = spawnSync("script", ["--quiet", "--echo", "never", "--command", command, "/dev/null"], { encoding: "utf8" }).stdout.replaceAll("\r", "");
const text = written.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const classes = (codes) => codes.replace(/38;5;(\d+)/, (_, colour) => String(30 + (Number(colour) % 8))).split(";").map((code) => `c${code}`);
let opened = 0;
const coloured = text.replace(/\x1b\[([\d;]*)m/g, (_, codes) => {
  const isReset = ["", "0"].includes(codes);
  const html = isReset ? "</span>".repeat(opened) : `<span class="${classes(codes).join(" ")}">`;
  opened = isReset ? 0 : opened + 1;
  return html;
});
const style = "body{margin:0;background:#12161c;color:#e4e8ee;display:inline-block;padding:1.2rem 1.6rem}pre{margin:0;font:13px/1.4 'DejaVu Sans Mono',monospace}.c1{font-weight:700}.c2{color:#9aa5b4}.c31{color:#ff8a7a}.c32{color:#5fd39a}.c33{color:#f5b95c}";
const terminal = await open(browser, { viewport: { width: 1180, height: 900 } });
await terminal.setContent(`<style>${style}</style><body><pre>$ drift-sidecar compare --reference reference.parquet --current requests/*.parquet\n${coloured}</pre></body>`);
await terminal.locator("body").screenshot(to("terminal.png"));
await browser.close();
shop.stop();
