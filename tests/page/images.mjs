// Writes the pictures of docs/images: the demo's live page and HTML report when its data have drifted.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { browse, demo, folder, htmlReport, open, ROOT } from "./site.mjs";

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
await browser.close();
shop.stop();
