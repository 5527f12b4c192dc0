/** Carries out faults that were ordered. Undefined where none were, so that nobody pays for it. */
import { assert } from "#src/core/assert.ts";
import { type FaultHook, FaultPlan, parseFault } from "../faults.ts";

export function faultHook(orders: readonly string[]): FaultHook | undefined {
  if (orders.length === 0) return undefined;
  const plan = new FaultPlan(orders.map(parseFault));
  const neverNotified = new Int32Array(new SharedArrayBuffer(4));
  return (place) => {
    const order = plan.at(place);
    if (order === undefined) return;
    if (order.kind === "kill") process.kill(process.pid, "SIGKILL");
    else if (order.kind === "assert") assert(false, `an assertion was ordered to fail at ${place}`);
    else if (order.kind === "delay") Atomics.wait(neverNotified, 0, 0, order.delayMs);
    else throw Object.assign(new Error(`${order.code} was ordered at ${place}`), { code: order.code });
  };
}
