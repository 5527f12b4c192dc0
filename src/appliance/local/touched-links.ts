/** Whose records are in the batch that is in the making: until it has its place, or is known to get none. */
import type { LocalVolumeLink } from "./volume-link.ts";

export class TouchedLinks {
  #links: LocalVolumeLink[] = [];

  add(link: LocalVolumeLink): void {
    this.#links.push(link);
  }

  /** The next batch begins with none. */
  take(): readonly LocalVolumeLink[] {
    const links = this.#links;
    this.#links = [];
    for (const link of links) link.isTouched = false;
    return links;
  }
}
