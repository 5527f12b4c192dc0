/** The browser that the page runs in. No other file of the page, components aside, touches it. */
import type { Browser } from "./browser.ts";

export const thisBrowser: Browser = {
  nowMs: () => Date.now(),
  chance: () => Math.random(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  request: (path, options) => fetch(path, options),
  openSocket: (path, protocols, ears) => {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, [...protocols]);
    socket.onopen = () => ears.opened();
    socket.onmessage = ({ data }) => ears.message(String(data));
    socket.onclose = ({ code, reason }) => ears.closed(code, reason);
    return socket;
  },
  remembered: (name) => sessionStorage.getItem(name) ?? undefined,
  remember: (name, value) => put(sessionStorage, name, value),
  kept: (name) => localStorage.getItem(name) ?? undefined,
  keep: (name, value) => put(localStorage, name, value),
};

function put(storage: Storage, name: string, value: string | undefined): void {
  if (value === undefined) storage.removeItem(name);
  else storage.setItem(name, value);
}
