/** The API over a side that a test plays, and whoever asks it. */
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./api-driver.ts";
import { ScriptedSide } from "./scripted-side.ts";

export function askedSide() {
  const side = new ScriptedSide();
  const driver = apiDriver(side.simulation.clock);
  const ask = async (method: string, target: string, body: object = {}) => {
    const response = await driven(
      driver,
      side.handler()({
        method,
        target: `/api/v1${target}`,
        headers: { host: "localhost:7878", "content-type": "application/json" },
        body: Buffer.from(JSON.stringify(body)),
      }),
    );
    return { status: response.status, headers: response.headers, body: JSON.parse(response.body) };
  };
  return { side, ask, driver };
}
