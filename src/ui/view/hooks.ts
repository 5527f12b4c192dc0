/** What several components need of time, width and work under way. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { inWords } from "../api.ts";
import type { Desk } from "../desk.ts";
import type { PageState } from "../page-state.ts";

export function useDeskState(desk: Desk): PageState {
  const [state, setState] = useState(desk.state);
  // Not after the next frame: an answer may come before it, and "a token is needed" is followed by no other.
  useLayoutEffect(() => desk.watch(() => setState(desk.state)), [desk]);
  return state;
}

/** Again and again after so long; `ms` undefined: not at all. */
export function useEvery(desk: Desk, ms: number | undefined, act: () => void, of: readonly unknown[]): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (ms === undefined) return undefined;
    let takeBack = (): void => {};
    const run = (): void => {
      latest.current();
      takeBack = desk.browser.after(ms, run);
    };
    run();
    return () => takeBack();
  }, [desk, ms, ...of]);
}

export function useNow(desk: Desk, everyMs: number): number {
  const [nowMs, setNow] = useState(desk.browser.nowMs());
  useEvery(desk, everyMs, () => setNow(desk.browser.nowMs()), []);
  return nowMs;
}

/** Of an element, as it is now. */
export function useWidth(): readonly [(element: Element | null) => void, number] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | undefined>(undefined);
  const attach = useCallback((element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.current.observe(element);
  }, []);
  return [attach, width];
}

export interface Task {
  /** What is under way, in words. */
  readonly doing: string | undefined;
  readonly said: { readonly kind: "good" | "bad"; readonly words: string } | undefined;
  readonly run: (doing: string, work: () => Promise<string | undefined>) => void;
  readonly clear: () => void;
}

/** One thing at a time; it answers what is said of it when it is done. */
export function useTask(): Task {
  const [doing, setDoing] = useState<string | undefined>(undefined);
  const [said, setSaid] = useState<Task["said"]>(undefined);
  const run = useCallback((words: string, work: () => Promise<string | undefined>) => {
    setDoing(words);
    setSaid(undefined);
    const end = (result: Task["said"]): void => {
      setDoing(undefined);
      setSaid(result);
    };
    work().then(
      (done) => end(done === undefined ? undefined : { kind: "good", words: done }),
      (error: unknown) => end({ kind: "bad", words: inWords(error) }),
    );
  }, []);
  return { doing, said, run, clear: () => setSaid(undefined) };
}
