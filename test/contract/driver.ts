/**
 * What makes things happen while a test waits for them: on a real host the event loop, on a simulated one its clock.
 * Nothing here waits for time to pass.
 */
import type { DoneCallback } from "#src/host/block-device.ts";

export interface Driver {
  /** Goes on until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets happen what is about to happen, so that a test can say that something did not. */
  quiet(): Promise<void>;
}

const turnsOfQuiet = 25;

export const realDriver: Driver = {
  until: async (condition) => {
    while (!condition()) await turn();
  },
  quiet: async () => {
    for (let count = 0; count < turnsOfQuiet; count++) await turn();
  },
};

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits for something that calls back, and answers with what it said. */
export async function completion(driver: Driver, start: (done: DoneCallback) => void): Promise<Error | null> {
  let outcome: { readonly error: Error | null } | undefined;
  start((error) => {
    outcome = { error };
  });
  await driver.until(() => outcome !== undefined);
  return (outcome as unknown as { readonly error: Error | null }).error;
}

/** Waits for a promise that only goes on while the driver drives. */
export async function driven<Result>(driver: Driver, promise: Promise<Result>): Promise<Result> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await driver.until(() => isSettled);
  return promise;
}
