// A browser, the demo as a child process, and pages made by hand.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, "..", "..");
export const BINARY = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "drift-sidecar");
export const axe = readFileSync(join(HERE, "node_modules", "axe-core", "axe.min.js"), "utf8");

export const folder = mkdtempSync(join(tmpdir(), "drift-sidecar-page-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export function browse() {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}

// A page whose faults are collected: what the console says, what fails, and what would leave the host.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.faults.push(message.text()));
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["127.0.0.1", ""].includes(url.hostname)) page.faults.push(`a request to ${url.host}`);
  });
  return page;
}

// The demo; its address is told once it listens.
export function demo() {
  const child = spawn(BINARY, ["demo", "--listen", "127.0.0.1:0", "--dir", join(folder, "demo")], { stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => child.kill());
  return new Promise((resolve, reject) => {
    let said = "";
    const heard = (text) => {
      said += text;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (found) resolve({ url: `${found[0]}/`, stop: () => child.kill() });
    };
    child.stdout.on("data", heard);
    child.stderr.on("data", heard);
    child.on("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${said}`)));
  });
}

// The live page of a running sidecar, in front of Reports of the test's own.
// `history(asked)` may answer later.
export async function staged(html, report, history = () => ({ at: [], measured: [] })) {
  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams } = new URL(request.url, "http://host");
    const answer = { "/": html, "/api/v1/report": () => JSON.stringify(report()), "/api/v1/history": async () => JSON.stringify(await history(searchParams)) }[path];
    const body = typeof answer === "function" ? await answer() : answer;
    response.writeHead(body === undefined || body === "null" ? 503 : 200, { "content-type": path === "/" ? "text/html; charset=utf-8" : "application/json" });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

// `compare` of the logs that the demo has written, as one HTML file.
export function htmlReport(reference, current) {
  const file = join(folder, "report.html");
  const ended = spawnSync(BINARY, ["compare", "--reference", reference, "--current", ...current, "--format", "html", "--output", file], { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(ended.stderr);
  return file;
}

export function save(name, text) {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
