/** The page in Debian's own Chromium, as somebody has it open; whatever its console or its policy objects to fails the test. */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { programPath } from "#test/clients/command.ts";
import { patienceMs } from "#test/patience.ts";

/** Outside of the project; they stay there to be looked at. */
export const shotsFolder = process.env.TIDEMARK_SHOTS ?? join(tmpdir(), "tidemark-shots");

export interface Look {
  readonly width?: 390 | 1280;
  readonly colours?: "light" | "dark";
  /** What may be said on the console: requests that are meant to fail. */
  readonly mayFail?: boolean;
  /** Whoever has vouched for the server. */
  readonly anyCertificate?: boolean;
  /** Done in the browser before anything of the page is. */
  readonly first?: () => void;
}

let browser: Browser | undefined;

/** One for a file: it takes longest to start. */
export function useBrowser(): void {
  beforeAll(async () => {
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const env = { ...process.env, PATH: [programPath, "/usr/bin"].join(delimiter) } as Record<string, string>;
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args, env, timeout: patienceMs });
  });
  afterAll(() => browser?.close());
}

export async function openedPage(
  url: string,
  { width = 1280, colours = "light", mayFail = false, anyCertificate = false, first }: Look = {},
): Promise<Page> {
  const viewport = { width, height: width === 390 ? 844 : 860 };
  const context = await (browser as Browser).newContext({
    viewport,
    colorScheme: colours,
    ignoreHTTPSErrors: anyCertificate,
  });
  // What is tested may give way to all else on a machine that is busy.
  context.setDefaultTimeout(patienceMs);
  if (first !== undefined) await context.addInitScript(first);
  const page = await context.newPage();
  const objections: string[] = [];
  page.on("pageerror", (error) => objections.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !mayFail) objections.push(message.text());
  });
  // Nothing else than the appliance is asked for anything.
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) objections.push(`asked for ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(objections).toEqual([]);
  });
  await page.goto(url);
  return page;
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shotsFolder, { recursive: true });
  await page.screenshot({ path: join(shotsFolder, `${name}.png`), fullPage: true });
}

/** Of the document and all that is in it: nothing is wider than the window. */
export async function isWithinWidth(page: Page): Promise<boolean> {
  return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
}
