/** Opens points that chance picks, of the stamped volume, and judges all that their views, or their restored copies, hold. */
import { readFileSync, rmSync } from "node:fs";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import type { PointsReport } from "#src/control/volume-history.ts";
import { MiB } from "#src/core/limits.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { AskedError } from "./asked.ts";
import type { CutJudge } from "./cut-judge.ts";
import type { SeqWatch } from "./seq-watch.ts";
import { until } from "./until.ts";
import { stampedVolume, type World } from "./world.ts";

const drawsMax = 10;

export interface PointViewsParts {
  readonly world: World;
  readonly watch: SeqWatch;
  readonly judge: CutJudge;
  readonly sizeBytes: number;
  readonly complain: (words: string) => void;
}

interface Restore {
  readonly id: number;
  readonly seq: number;
  readonly target: string;
}

export class PointViews {
  readonly #parts: PointViewsParts;
  readonly #restores: Restore[] = [];
  #count = 0;
  #restored = 0;
  #refused = 0;

  constructor(parts: PointViewsParts) {
    this.#parts = parts;
  }

  /** Points whose every block was judged. */
  get count(): number {
    return this.#count;
  }

  get restored(): number {
    return this.#restored;
  }

  /** Which could not be opened or read to their end while something was done to the sites. */
  get refused(): number {
    return this.#refused;
  }

  /** In the middle of anything: what cannot be read is nobody's fault, what is read must be right. */
  async tryAny(random: SeededRandom): Promise<void> {
    try {
      await this.#look(await this.#draw(stampedVolume, random));
    } catch {
      this.#refused++;
    }
  }

  /** While nothing is done to anybody. */
  async checkAny(random: SeededRandom): Promise<void> {
    await this.drawOne(stampedVolume, random, (seq) => this.#look(seq));
  }

  /** A point that is just folded, or expires, is none any more when it is opened: then another one is drawn. One that is open is read. */
  async drawOne<Found>(
    volume: string,
    random: SeededRandom,
    look: (seq: number) => Promise<Found>,
    leastSeq = 0,
  ): Promise<Found> {
    for (let draw = 1; ; draw++) {
      try {
        return await look(await this.#draw(volume, random, leastSeq));
      } catch (error) {
        if (draw === drawsMax || !(error instanceof AskedError && error.isNoPoint)) throw error;
      }
    }
  }

  /** Of where there are points, half of the time of what is newest. */
  async #draw(volume: string, random: SeededRandom, leastSeq = 0): Promise<number> {
    const { ranges } = (await this.#parts.world.asked("remote", "GET", `/volumes/${volume}/points`)) as PointsReport;
    const spans = ranges.filter(({ kind, lastSeq }) => kind === "points" && lastSeq >= leastSeq);
    const last = spans.at(-1);
    if (last === undefined) throw new Error(`there is no point of ${volume} yet`);
    const span = random.chance(0.5) ? last : random.pick(spans);
    return random.between(Math.max(span.firstSeq, leastSeq), span.lastSeq);
  }

  async image(seq: number): Promise<{ readonly view: ViewFacts; readonly image: Buffer }> {
    const { world, sizeBytes } = this.#parts;
    const wish = { volume: stampedVolume, point: `seq:${seq}`, nearest: true, leased: true };
    const view = (await world.asked("remote", "POST", "/views", wish)) as ViewFacts;
    const client = await openVolume(view.uri);
    const image = Buffer.alloc(sizeBytes, 0xa5);
    for (let at = 0; at < sizeBytes; at += MiB) await client.readInto(at, image.subarray(at, at + MiB));
    await client.disconnect();
    await world.asked("remote", "DELETE", `/views/${encodeURIComponent(view.name)}`);
    return { view, image };
  }

  async #look(seq: number): Promise<void> {
    const { view, image } = await this.image(seq);
    if (view.seq > seq) this.#parts.complain(`seq ${view.seq} was opened for ${seq}, which is before it`);
    this.#judge(image, view.seq, `the view of seq ${view.seq}`);
    this.#count++;
  }

  #judge(image: Buffer, seq: number, what: string): void {
    const { judge, watch, complain } = this.#parts;
    const { answered, begun } = watch.boundsOf(stampedVolume, seq);
    const bounds = { answeredBy: answered?.event, issuedBy: begun?.event };
    for (const complaint of judge.judge(image, bounds)) complain(`${what}: ${complaint}`);
  }

  /** Begins to restore a point to a file; `checkRestores` looks at it. */
  async beginRestore(random: SeededRandom): Promise<void> {
    const seq = await this.#draw(stampedVolume, random);
    this.#restores.push(await this.#orderRestore(seq, random.integerBelow(2 ** 31)));
  }

  async #orderRestore(seq: number, number: number): Promise<Restore> {
    const { world } = this.#parts;
    const target = world.folder.file(`restored-${seq}-${number}.img`);
    const wish = { volume: stampedVolume, point: `seq:${seq}`, target };
    const { id } = (await world.asked("remote", "POST", "/restores", wish)) as JobReport;
    return { id, seq, target };
  }

  /** Waits for those that were begun. Nothing is done to anybody any more. */
  async checkRestores(): Promise<void> {
    for (const restore of this.#restores.splice(0)) {
      const job = await this.#endOf(restore);
      // A bit was turned just then, and that is told of. Now none is, as long as there is that point.
      const isHurt = job.state === "done" && job.result?.isSound === false;
      const again = isHurt ? await this.#restoreAgain(restore) : restore;
      if (again !== undefined) this.#judgeRestore(again, again === restore ? job : await this.#endOf(again));
      rmSync(restore.target, { force: true });
    }
  }

  async #restoreAgain({ seq, id }: Restore): Promise<Restore | undefined> {
    try {
      return await this.#orderRestore(seq, id);
    } catch (error) {
      if (error instanceof AskedError && error.isNoPoint) return undefined;
      throw error;
    }
  }

  #endOf({ id }: Restore): Promise<JobReport> {
    return until(`restore ${id} has ended`, async () => {
      const found = (await this.#parts.world.asked("remote", "GET", `/jobs/${id}`)) as JobReport;
      if (found.state === "waiting" || found.state === "running") throw new Error(`it is ${found.state}: ${found.why}`);
      return found;
    });
  }

  #judgeRestore({ id, seq, target }: Restore, { state, why, result }: JobReport): void {
    if (state !== "done" || result?.isSound !== true) {
      this.#parts.complain(`restore ${id} of seq ${seq} is ${state}: ${why ?? result?.lines.join("; ")}`);
      return;
    }
    this.#judge(readFileSync(target), seq, `the restored seq ${seq}`);
    this.#restored++;
    rmSync(target);
  }
}
