/** Questions to a program's API while a benchmark runs. */
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const pollMs = 20;
export const readyMs = 30_000;
/** Between two questions there is a measurement, for which no server keeps a connection open. */
const closing = { connection: "close" };

/** The API opens its door last. */
export async function answering(root: string): Promise<void> {
  const deadline = performance.now() + readyMs;
  for (;;) {
    try {
      if ((await fetch(`${root}/healthz`, { headers: closing })).ok) return;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`nobody answers at ${root}`, { cause: error });
    }
    await wait(pollMs);
  }
}

/** Free a moment ago, at least. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

export async function ask<Answer>(
  url: string,
  request: { method: string; body?: object } | undefined = undefined,
): Promise<Answer> {
  const { method = "GET", body } = request ?? {};
  const options =
    body === undefined
      ? { method, headers: closing }
      : { method, headers: { ...closing, "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, options).catch((error: Error) => {
    throw new Error(`${url} does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${url}: ${(answer as { detail?: string }).detail ?? response.status}`);
  return answer as Answer;
}
