/**
 * The sides of a program take over what has changed of the configuration. All of them are asked, whatever becomes of the others; and
 * what one of them has not answered to counts as changed until all have.
 */
import { inWords } from "#src/host/system-words.ts";
import type { Config } from "./config-schema.ts";
import type { Reload } from "./live-settings.ts";
import type { SideClient } from "./side-client.ts";

export class SideReload {
  #unanswered: readonly string[] = [];

  /** `changed`: settings that are taken over. Never rejects. */
  async tell(
    sides: readonly Pick<SideClient, "ask">[],
    { config, changed }: { readonly config: Config; readonly changed: readonly string[] },
  ): Promise<Pick<Reload, "taken" | "failures">> {
    const answers = await Promise.allSettled(sides.map((side) => side.ask("reconfigure", { config })));
    const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [inWords(answer.reason)] : []));
    const taken = [...new Set([...this.#unanswered, ...changed])];
    this.#unanswered = failures.length === 0 ? [] : taken;
    return { taken, failures };
  }
}
