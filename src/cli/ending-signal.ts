/** The signals that ask a program to end. */

/** Repeated signals change nothing: Ctrl-C under npm arrives twice, once from the terminal and once from npm. */
export function endingSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve());
    process.on("SIGTERM", () => resolve());
  });
}
