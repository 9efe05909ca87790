// The live page and the HTML report, looked at by a browser: what people see, and what must never happen.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { axe, browse, demo, folder, htmlReport, open, staged } from "./site.mjs";

const HOSTILE = [
  "<img src=x onerror=document.title='broken'>",
  "</script><script>document.title='broken'</script>",
  "\"' onclick=\"document.title='broken'\" x=\"",
  "\u202egnp.exe\u202d right to left",
  "long ".repeat(2000),
  "a\nb\tc\\d{e=\"f\"}",
  "",
];

const browser = await browse();
let failed = 0;

async function story(name, act) {
  try {
    await act();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
    for (const context of browser.contexts()) for (const page of context.pages()) console.log(page.faults);
  }
}

// Asks the page again and again; its policy lets no string run as a script, so the asking is done from here.
async function until(page, ask, argument, every = 500, tries = 300) {
  for (let i = 0; i < tries; i += 1) {
    if (await page.evaluate(ask, argument)) return;
    await page.waitForTimeout(every);
  }
  throw new Error(`this did not come true: ${ask}`);
}

const refreshed = () => document.dispatchEvent(new Event("visibilitychange"));
const names = (page) => page.locator("table.columns button.open").allTextContents();

async function accessible(page, what) {
  // Its own world: the page's policy lets no other script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  const serious = violations.filter((fault) => ["serious", "critical"].includes(fault.impact));
  assert.deepEqual(serious.map((fault) => [fault.id, fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]), [], what);
}

// As wide as its window: nothing to scroll sideways but tables in their own frames.
async function fits(page) {
  const [width, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= room, `the page is ${width} wide in a window of ${room}`);
}

function column(name, score, more = {}) {
  const test = { method: "psi", score, threshold: 0.1, noise: 0.01, p_value: null, drifted: score >= 0.1 };
  const distribution = { edges: [1, 2, 3], reference: [5, 9, 4, 1], current: [2, 7, 8, 2] };
  return { column: name, kind: "numerical", role: "feature", reference_rows: 19, current_rows: 19, missing_ratio: 0, missing_ratio_reference: 0, drifted: test.drifted, reason: `psi ${score} of ${name}`, tests: [test], distribution, ...more };
}

function report(columns, more = {}) {
  const window = { window: "1h", rows: 19, data_drift_reason: "as told", data_drift_score: 0.5, data_drift_detected: true, columns };
  return { models: [{ model: "m", windows: [window], logs: [], pairing: {}, pending_predictions: 0, ...more }] };
}

const shop = await demo();
const html = await (await fetch(shop.url)).text();

await story("hostile names stay text", async () => {
  const categories = { categories: HOSTILE, reference: HOSTILE.map(() => 3), current: HOSTILE.map(() => 4) };
  const columns = HOSTILE.map((name, i) => column(name, 0.9 - i / 10, i === 0 ? { kind: "categorical", distribution: categories } : {}));
  const slice = (name) => ({ name, reference: { rows: 9 }, windows: report(columns).models[0].windows });
  const whole = report(columns, { model: HOSTILE[0], problems: HOSTILE, segments: HOSTILE.map(slice), reference: { rows: 9, ignored_columns: Object.fromEntries(HOSTILE.map((name) => [name, name])) }, logs: [{ log: "requests", rows_read: 1, files: {}, rows_dropped: {}, files_failed: {}, column_problems: { [HOSTILE[1]]: { type: 1 } } }] });
  const site = await staged(html, () => whole);
  const page = await open(browser);
  await page.goto(site.url);
  await page.locator("table.columns button.open").first().click();
  await page.locator(".bars li").nth(HOSTILE.length - 1).waitFor();
  assert.equal(await page.title(), "drift-sidecar");
  assert.equal(await page.locator("img").count(), 0);
  assert.equal((await names(page))[0], HOSTILE[0]);
  await fits(page);
  for (let i = 1; i < HOSTILE.length; i += 1) await page.locator("table.columns button.open").nth(i).click();
  assert.equal(await page.title(), "drift-sidecar");
  assert.deepEqual(page.faults, []);
  site.stop();
});

await story("a thousand columns are fifty a page, found by name, and painted at once", async () => {
  const columns = Array.from({ length: 1000 }, (_, i) => column(`column_${i}`, i / 2000));
  const site = await staged(html, () => report(columns));
  const page = await open(browser);
  await page.goto(site.url);
  await page.locator("table.columns tbody tr").nth(49).waitFor();
  assert.equal(await page.locator("table.columns tbody tr").count(), 50);
  assert.equal((await names(page))[0], "column_999");
  await page.getByRole("button", { name: "next" }).click();
  assert.equal((await names(page))[0], "column_949");
  await page.getByRole("searchbox").fill("column_77");
  assert.deepEqual((await names(page)).slice(0, 2), ["column_779", "column_778"]);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  console.log(`        first paint after ${paint.toFixed(0)} ms`);
  await page.goto(`${site.url}#model=m&window=1h&column=column_123`);
  await page.reload();
  await page.locator("tr.panel").waitFor();
  assert.ok((await names(page)).includes("column_123"), "a link leads to the column, on whatever page of the table it is");
  assert.deepEqual(page.faults, []);
  site.stop();
});

await story("of several models those in trouble stand first, and a click leads to one", async () => {
  const calm = report([column("price", 0.01)], { model: "calm" }).models[0];
  calm.windows[0].data_drift_detected = false;
  const broken = { model: "broken", problems: ["there is no Parquet file"], windows: [], logs: [], pairing: {} };
  const site = await staged(html, () => ({ models: [calm, ...report([column("age", 0.5)], { model: "drifting" }).models, broken] }));
  const page = await open(browser);
  await page.goto(site.url);
  await page.getByText("3 models, 2 in trouble").waitFor();
  assert.deepEqual(await page.locator("details button.open").allTextContents(), ["drifting", "broken", "calm"]);
  assert.equal(await page.locator("h2").textContent(), "drifting");
  await page.locator("details button.open", { hasText: "calm" }).click();
  assert.equal(await page.locator("h2").textContent(), "calm");
  await page.evaluate(refreshed);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "calm");
  await accessible(page, "several models");
  assert.deepEqual(page.faults, []);
  site.stop();
});

await story("a column that falls far and rises again stays open, in sight and focused", async () => {
  let last = 0.9;
  const site = await staged(html, () => report([column("falling", last), ...Array.from({ length: 80 }, (_, i) => column(`column_${i}`, 0.5 - i / 200))]));
  const page = await open(browser);
  await page.goto(site.url);
  await page.locator("table.columns button.open").first().focus();
  await page.keyboard.press("Enter");
  await page.locator("tr.panel").waitFor();
  last = 0.001;
  await page.evaluate(refreshed);
  await page.getByText("51 to 81 of 81").waitFor();
  assert.equal(await page.locator("tr.panel").count(), 1);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "falling");
  last = 0.9;
  await page.evaluate(refreshed);
  await page.getByText("1 to 50 of 81").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "falling");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("tr.panel").count(), 0);
  assert.deepEqual(page.faults, []);
  site.stop();
});

await story("the history of a column is never drawn for another, however late it comes", async () => {
  const past = (score) => ({ at: [1, 2], measured: [null, null], score: [score, score], threshold: [0.1, 0.1], noise: [0.01, 0.01] });
  let answerLate;
  const late = new Promise((resolve) => (answerLate = resolve));
  const site = await staged(html, () => report([column("late", 0.9), column("soon", 0.8)]), (asked) => (asked.get("column") === "late" ? late : past(0.8)));
  const page = await open(browser);
  await page.goto(site.url);
  await page.getByRole("button", { name: "late" }).click();
  await page.getByRole("button", { name: "soon" }).click();
  const plot = page.locator(".panel figure", { hasText: "Score of psi over time" });
  await plot.locator("canvas").waitFor();
  const before = await plot.screenshot();
  const arrived = page.waitForResponse((response) => response.url().includes("column=late"));
  answerLate(past(0.2));
  await (await arrived).finished();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  assert.ok(before.equals(await plot.screenshot()));
  assert.deepEqual(page.faults, []);
  site.stop();
});

await story("no evaluation, a column that is gone, a server that is gone: said in words", async () => {
  let now = null;
  const site = await staged(html, () => now);
  const page = await open(browser);
  await page.goto(`${site.url}#column=gone`);
  await page.getByText(/No answer from drift-sidecar since [^;]*$/).waitFor();
  assert.ok(await page.getByText("No evaluation yet").isHidden(), "nobody said so");
  now = { models: [] };
  await page.evaluate(refreshed);
  await page.getByText("No evaluation yet").waitFor();
  now = report([column("price", 0.5)]);
  await page.evaluate(refreshed);
  await page.getByText("There is no column gone in this window.").waitFor();
  now = null;
  await page.evaluate(refreshed);
  await page.getByText("No answer from drift-sidecar since").waitFor();
  assert.deepEqual(await names(page), ["price"], "what was known stays");
  site.stop();
});

await story("an HTML report is whole by itself", async () => {
  const requests = readdirSync(join(folder, "demo", "requests")).filter((name) => name.endsWith(".parquet"));
  const file = htmlReport(join(folder, "demo", "reference.parquet"), requests.map((name) => join(folder, "demo", "requests", name)));
  const page = await open(browser, { offline: true });
  await page.goto(`file://${file}`);
  await page.locator("table.columns button.open").first().waitFor();
  await page.getByRole("button", { name: "price" }).click();
  await page.locator(".panel canvas").nth(1).waitFor();
  await accessible(page, "the report");
  assert.deepEqual(page.faults, []);
});

await story("the demo's drift is at the top, opens, and keeps its place when it is refreshed", async () => {
  const page = await open(browser, { viewport: { width: 1280, height: 600 } });
  await page.goto(shop.url);
  await page.locator("table.columns tbody tr").first().waitFor();
  const calm = await page.locator("p.words").textContent();
  assert.match(calm, /moved|No drift/);
  await until(page, () => (document.dispatchEvent(new Event("visibilitychange")), document.querySelector("p.words").textContent.includes("Drift:")));
  assert.equal((await names(page))[0], "price");
  const price = page.locator("table.columns button.open").first();
  await price.focus();
  await page.keyboard.press("Enter");
  await page.locator(".panel canvas").nth(2).waitFor();
  assert.equal(await price.getAttribute("aria-expanded"), "true");
  await page.evaluate(() => scrollTo(0, 500));
  const before = await page.evaluate(() => [scrollY, document.activeElement.textContent, location.hash]);
  const at = page.locator("p.soft", { hasText: "evaluated" }).first();
  const evaluated = await at.textContent();
  await until(page, (text) => (document.dispatchEvent(new Event("visibilitychange")), ![...document.querySelectorAll("p.soft")].some((p) => p.textContent === text)), evaluated);
  assert.deepEqual(await page.evaluate(() => [scrollY, document.activeElement.textContent, location.hash]), before);
  assert.equal(await page.locator(".panel canvas").count(), 3);
  await page.getByText("What came in").click();
  await accessible(page, "the live page, light");
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page, "the live page, dark");
  await page.setViewportSize({ width: 390, height: 800 });
  await fits(page);
  await accessible(page, "the live page on a phone");
  assert.deepEqual(page.faults, []);
});

shop.stop();
await browser.close();
if (failed > 0) process.exit(1);
