/** The page over a real appliance, in a real browser: what an operator sees and does there. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patience } from "#test/patience.ts";
import { isWithinWidth, openedPage, shoot, useBrowser } from "./opened-page.ts";

needPrograms("chromium", "nbdinfo", "nbdcopy");
useBrowser();

const blockBytes = 64 * 1024;

async function protectedDisk(...settings: readonly string[]) {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"), ...settings.flatMap((one) => ["--set", one]));
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "16M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const [uri = ""] = uris;
  /** As a host that attaches for it. */
  const write = async (value: number, count = 1) => {
    const host = await openVolume(uri);
    for (let block = 0; block < count; block++) await host.write(block * blockBytes, Buffer.alloc(blockBytes, value));
    await host.flush();
    await host.disconnect();
    await vi.waitFor(async () => {
      const { groups, remoteGroups, volumes } = await up.status();
      expect(remoteGroups[0]?.durable).toBe(groups[0]?.lastSeq);
      expect(volumes[0]?.connections).toBe(0);
    }, patience);
  };
  return { folder, up, uri, write };
}

/** Of the record that was picked. */
async function shownSeq(page: Page): Promise<number> {
  return Number((await page.locator(".moment .seq").textContent())?.replace(/\D/g, ""));
}

test("the figures of a volume go with what is written, and mode and level are switched with a click or a key", async () => {
  const { up, write } = await protectedDisk();
  const page = await openedPage(up.api);
  await page.getByRole("heading", { name: "disk", level: 1 }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  const newest = page.locator(".figures div", { hasText: "Newest durable" }).locator("dd");
  const before = await newest.textContent();
  await write(1, 40);
  await expect.poll(() => newest.textContent(), patience).not.toBe(before);
  await expect
    .poll(() => page.locator(".figures div", { hasText: "Lag behind" }).textContent(), patience)
    .toContain("none");
  await expect.poll(() => page.locator("path.density").getAttribute("d"), patience).toMatch(/^M/);
  const modes = page.getByRole("group", { name: "Mode of group disk" });
  await modes.getByRole("button", { name: "sync", exact: true }).click();
  await expect.poll(() => modes.locator('[aria-pressed="true"]').textContent(), patience).toBe("sync");
  expect((await up.status()).groups[0]?.mode).toBe("sync");
  await page.locator(".events", { hasText: "from async to sync" }).waitFor();
  const levels = page.getByRole("group", { name: "Level of volume disk" });
  expect(await levels.locator('[aria-pressed="true"]').textContent()).toBe("every write");
  // As somebody does who has no mouse.
  await levels.getByRole("button", { name: "every write" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect.poll(() => levels.locator('[aria-pressed="true"]').textContent(), patience).toBe("10 s");
  await page.getByRole("status").filter({ hasText: "One point is left for each 10 s." }).waitFor();
  expect((await up.status()).groups[0]?.levels).toEqual([{ volume: "disk", seconds: 10 }]);
  await page.locator(".events", { hasText: "switches how far" }).waitFor();
  await shoot(page, "light-1280");
  await page.close();
  await up.program.stop();
});

test("a moment is picked, opened and read by another program, compared, and restored after a confirmation", async () => {
  const { folder, up, uri, write } = await protectedDisk();
  await write(1, 8);
  const page = await openedPage(up.api);
  await page.getByRole("button", { name: "Mark now" }).click();
  await page.getByLabel("Name").fill("good");
  await page.getByRole("button", { name: "Mark", exact: true }).click();
  await page.locator(".timeline .mark-name", { hasText: "good" }).waitFor();
  await write(2, 4);
  // The first is asked for by the field, to find the moment.
  const asked = Promise.withResolvers<void>();
  let count = 0;
  await page.route(/points\/mark/, async (route) => {
    if (++count > 1) await asked.promise;
    await route.continue();
  });
  await page.getByLabel("Go to a point").fill("mark:good");
  await page.getByRole("button", { name: "Go", exact: true }).click();
  // Until it is known which record that is, nothing is done with the one that was picked before.
  await page.locator(".moment", { hasText: "Looking…" }).waitFor();
  expect(await page.getByRole("button", { name: "Diff against now" }).isDisabled()).toBe(true);
  asked.resolve();
  await page.locator(".moment", { hasText: "as mark:good" }).waitFor();
  const marked = await shownSeq(page);

  await page.getByRole("button", { name: "Open view", exact: true }).click();
  const address = page.locator(".copy code", { hasText: "nbd" });
  const view = (await address.textContent()) ?? "";
  expect(JSON.parse((await run("nbdinfo", ["--json", view])).stdout).exports[0]["export-size"]).toBe(16 * 2 ** 20);
  await succeed("nbdcopy", [view, join(folder, "copy.img")]);
  await page.getByRole("button", { name: "Diff against now" }).click();
  await page.locator(".difference", { hasText: "256 KiB in" }).waitFor();
  await shoot(page, "moment-1280");
  await page.getByRole("button", { name: /^Close view/ }).click();
  await page.getByText("None is open.").waitFor();

  await page.getByRole("button", { name: "Restore…" }).click();
  await page.getByText("Onto disk itself").click();
  const replace = page.getByRole("button", { name: "Replace its content" });
  expect(await replace.isDisabled()).toBe(true);
  await page.getByRole("textbox", { name: /Type disk/ }).fill("disk");
  await shoot(page, "restore-1280");
  await replace.click();
  await page.getByText(`Restoring disk as of seq ${marked} is done`).waitFor();
  const host = await openVolume(uri);
  expect((await host.read(0, 4)).equals(Buffer.alloc(4, 1))).toBe(true);
  await host.disconnect();
  await page.getByRole("button", { name: "Dismiss" }).click();

  // As of a store that is damaged: what lacks bytes is not shown as what is well.
  const lost = "bytes 0 to 4095 cannot be read";
  await page.route(/\/jobs\/\d+$/, async (route) => {
    const response = await route.fetch();
    const job = (await response.json()) as JobReport;
    const result = job.result === undefined ? {} : { result: { ...job.result, isSound: false, lines: [lost] } };
    await route.fulfill({ response, json: { ...job, ...result } });
  });
  await page.getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("textbox", { name: "Path" }).fill(join(folder, "restored.img"));
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.locator(".note.bad", { hasText: lost }).waitFor();
  await seenLater(page, lost);
  await page.close();
  await up.program.stop();
});

/** Whoever opens the page hears of the last restore too, which lacks bytes, until somebody has seen that. */
async function seenLater(page: Page, lost: string): Promise<void> {
  await page.route(/\/jobs$/, async (route) => {
    const response = await route.fetch();
    const { jobs } = (await response.json()) as { readonly jobs: readonly JobReport[] };
    const last = jobs.at(-1) as JobReport;
    const result = { ...last.result, isSound: false, lines: [lost] };
    await route.fulfill({ response, json: { jobs: [...jobs.slice(0, -1), { ...last, result }] } });
  });
  const lacking = page.locator(".note.bad", { hasText: lost });
  await page.reload();
  await lacking.waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await lacking.waitFor({ state: "detached" });
  const asked = page.waitForResponse(/\/jobs$/);
  await page.reload();
  await asked;
  await page.getByRole("button", { name: "Restore…" }).waitFor();
  expect(await lacking.count()).toBe(0);
}

test("while the link is slow the lag is seen to grow, and to go again", async () => {
  const { up, write } = await protectedDisk("remote.bandwidth=128K");
  const page = await openedPage(up.api);
  // Nothing is asked for in vain before the remote appliance has a point: that would be an objection.
  await page.locator(".moment", { hasText: "There is no point yet." }).waitFor();
  const lag = page.locator(".figures div", { hasText: "Lag behind" });
  await page.getByText("live", { exact: true }).waitFor();
  const written = write(3, 6);
  await expect.poll(() => lag.textContent(), patience).toMatch(/Lag behind\d.*[KM]iB/);
  await written;
  await expect.poll(() => lag.textContent(), patience).toContain("none");
  await page.close();
  await up.program.stop();
});

test("at the remote appliance alone the history of what it keeps is there to be opened", async () => {
  const { folder, up, write } = await protectedDisk();
  await write(7, 2);
  await up.program.stop();
  const remote = await RunningProgram.start("remote", join(folder, "data"), "--set", "wire.port=0");
  const page = await openedPage(remote.api);
  await page.locator(".badge", { hasText: "history kept" }).first().waitFor();
  expect(await page.getByRole("button", { name: "Mark now" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Open view", exact: true }).click();
  const view = await page.locator(".copy code", { hasText: "nbd" }).textContent();
  await succeed("nbdinfo", [view ?? ""]);
  await page.close();
  await remote.program.stop();
});

test("the scrubber is a slider for keyboards, and says in words where it is", async () => {
  const { up, write } = await protectedDisk();
  await write(1, 8);
  const page = await openedPage(up.api, { width: 390, colours: "dark" });
  const slider = page.getByRole("slider", { name: "Moment to look at" });
  await expect.poll(() => slider.getAttribute("aria-valuetext"), patience).toContain("the newest point");
  const newest = await shownSeq(page);
  await slider.focus();
  for (let count = 0; count < 3; count++) await page.keyboard.press("ArrowLeft");
  await expect.poll(() => slider.getAttribute("aria-valuetext"), patience).toMatch(/before now/);
  const { width, x, y } = (await page.locator(".timeline").boundingBox()) as { width: number; x: number; y: number };
  await page.mouse.click(x + width - 2, y + 80);
  await expect.poll(() => shownSeq(page), patience).toBe(newest);
  expect(await isWithinWidth(page)).toBe(true);
  await shoot(page, "dark-390");
  await page.getByRole("button", { name: "Light" }).click();
  await expect.poll(() => page.locator("html").getAttribute("data-scheme"), patience).toBe("light");
  await shoot(page, "light-390");
  await page.close();
  await up.program.stop();
});

test("fault 35: where a token is needed it is asked for, one that does not hold is refused, and the page shows none", async () => {
  const tokenFile = join(temporaryFolder(), "token");
  const token = "0123456789abcdef0123456789abcdef";
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"), "--set", `http.tokenFile=${tokenFile}`);
  const page = await openedPage(up.api, { mayFail: true });
  await page.getByRole("heading", { name: "A token is needed" }).waitFor();
  await page.getByLabel("Token").fill("another");
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.getByText("That token does not hold").waitFor();
  await shoot(page, "login-1280");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.getByRole("heading", { name: "No volume yet" }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "No volume yet" }).waitFor();
  await page.getByRole("button", { name: "Forget token" }).click();
  await page.getByRole("heading", { name: "A token is needed" }).waitFor();
  expect(await page.content()).not.toContain(token);
  await page.close();
  await up.program.stop();
});

test("whoever is only let look without a token gives one to the page, and operates then", async () => {
  const { folder, up } = await protectedDisk();
  const { token } = (await up.asked("token", "add", "ops", "--role", "operate")) as { readonly token: string };
  await up.program.stop();
  const again = await RunningProgram.start("up", join(folder, "data"), "--set", "http.withoutToken=read");
  const page = await openedPage(again.api);
  const modes = page.getByRole("group", { name: "Mode of group disk" });
  const sync = modes.getByRole("button", { name: "sync", exact: true });
  await expect.poll(() => sync.isDisabled(), patience).toBe(true);
  await page.getByRole("button", { name: "Give a token" }).click();
  await shoot(page, "offered-1280");
  await page.getByRole("button", { name: "Go on without one" }).click();
  await page.getByRole("button", { name: "Give a token" }).click();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await sync.click();
  await expect.poll(() => modes.locator('[aria-pressed="true"]').textContent(), patience).toBe("sync");
  await page.close();
  await again.program.stop();
});

test("fault 35: what is answered before the page has been painted is shown, though nothing comes after it", async () => {
  const up = await RunningProgram.start("up", join(temporaryFolder(), "data"));
  const first = (): void => {
    globalThis.fetch = () => Promise.resolve(new Response("{}", { status: 401 }));
  };
  const page = await openedPage(up.api, { first });
  await page.getByRole("heading", { name: "A token is needed" }).waitFor();
  await page.close();
  await up.program.stop();
});

test("a connection that is lost is told, and comes back by itself", async () => {
  const { folder, up } = await protectedDisk();
  const page = await openedPage(up.api, { mayFail: true });
  await page.getByText("live", { exact: true }).waitFor();
  await up.program.stop();
  await page.getByText("The connection is lost").waitFor();
  await shoot(page, "lost-1280");
  const again = await RunningProgram.start("up", join(folder, "data"), "--set", `http.port=${new URL(up.api).port}`);
  await page.getByText("live", { exact: true }).waitFor();
  await expect.poll(() => page.getByText("The connection is lost").count(), patience).toBe(0);
  await again.program.stop();
});
