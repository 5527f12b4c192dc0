/** What a page waits for, as its browser would have it; it passes as the test says. */
export class PlayedTime {
  nowMs = 0;
  readonly waiting: { readonly atMs: number; readonly act: () => void }[] = [];

  after(ms: number, act: () => void): () => void {
    const one = { atMs: this.nowMs + ms, act };
    this.waiting.push(one);
    return () => {
      const index = this.waiting.indexOf(one);
      if (index >= 0) this.waiting.splice(index, 1);
    };
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.waiting.filter(({ atMs }) => atMs <= this.nowMs);
    for (const one of due) this.waiting.splice(this.waiting.indexOf(one), 1);
    for (const one of due) one.act();
  }
}
