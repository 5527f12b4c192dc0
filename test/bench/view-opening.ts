/** Opens a point as whoever needs it does, by the control API, and attaches it. */
import type { ViewFacts } from "#src/control/view.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { ask } from "./tidemark-api.ts";

const firstBytes = 4096;

export interface PointWish {
  readonly volume: string;
  readonly point: string;
  readonly nearest: boolean;
}

export interface OpenedPoint extends AsyncDisposable {
  readonly client: NbdClient;
  /** From the order until the first bytes were read. */
  readonly tookMs: number;
}

/** `api`: with its path. The view is closed in the end. */
export async function openPoint(api: string, wish: PointWish): Promise<OpenedPoint> {
  const began = performance.now();
  const view = await ask<ViewFacts>(`${api}/views`, { method: "POST", body: wish });
  const client = await openVolume(view.uri);
  await client.readInto(0, Buffer.alloc(firstBytes));
  const tookMs = performance.now() - began;
  return {
    client,
    tookMs,
    async [Symbol.asyncDispose]() {
      await client.disconnect();
      await ask(`${api}/views/${encodeURIComponent(view.name)}`, { method: "DELETE" });
    },
  };
}
