/** Where a long run stands: one line that is written over, on a terminal only. */

export interface Progress {
  show(text: string): void;
  clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  const eraseLine = "\r\u001b[2K";
  return {
    show: (text) => stream.write(eraseLine + text.slice(0, (stream.columns || 80) - 1)),
    clear: () => stream.write(eraseLine),
  };
}
