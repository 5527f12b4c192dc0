/** Errors as the operating system's calls give them. */
export function systemError(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what} (simulated)`), { code });
}
