/**
 * How long a test waits for what surely comes: for an event, never for a time. What is well comes within milliseconds and costs
 * nothing of it, so there is enough for a machine that is slow, shared, and at work on another suite.
 */
export const patienceMs = 120_000;

/** For `vi.waitFor` and `expect.poll`, whose own second is too little where another process has to do something first. */
export const patience = { timeout: patienceMs, interval: 20 };
