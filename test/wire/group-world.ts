/** A local and a remote appliance's ends of a link in a simulated world, and what each was told. */
import type { SocketAddress } from "#src/host/socket.ts";
import type {
  GroupHello,
  GroupLinkOwner,
  GroupSession,
  GroupSessionOwner,
  GroupSessions,
  GroupWelcome,
  RecalledBlocks,
  WantedBlock,
  Watermarks,
} from "#src/wire/group-link.ts";
import { GroupLinkClient, type GroupLinkOptions } from "#src/wire/group-link-client.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

export const remoteAddress = { kind: "tcp", host: "remote", port: 7900 } as const;
export const token = "a token that both know";
export const zeroMarks: Watermarks = { received: 0, durable: 0, stored: 0 };

export const someHello: GroupHello = {
  group: "00112233445566778899aabbccddeeff",
  groupName: "books",
  writer: "0123456789abcdef",
  life: 3,
  bootId: "boot-of-local",
  epoch: 2,
  firstSeq: 10,
  lastSeq: 12,
};

/** The local appliance, as far as the link sees one. */
export class RecordingOwner implements GroupLinkOwner {
  readonly events: string[] = [];
  readonly welcomes: GroupWelcome[] = [];
  readonly marks: Watermarks[] = [];
  readonly refusals: Error[] = [];
  readonly downs: string[] = [];
  helloToSay: GroupHello = someHello;
  onUp: () => void = () => {};
  onMayShip: () => void = () => {};
  onRecall: (wanted: readonly WantedBlock[]) => Promise<RecalledBlocks> = async (wanted) => wanted.map(() => undefined);

  hello(): GroupHello {
    this.events.push("hello");
    return this.helloToSay;
  }

  up(welcome: GroupWelcome): void {
    this.events.push("up");
    this.welcomes.push(welcome);
    this.onUp();
  }

  watermarks(marks: Watermarks): void {
    this.events.push("watermarks");
    this.marks.push(marks);
  }

  mayShip(): void {
    this.events.push("mayShip");
    this.onMayShip();
  }

  down(why: string): void {
    this.events.push("down");
    this.downs.push(why);
  }

  refused(error: Error): void {
    this.events.push("refused");
    this.refusals.push(error);
  }

  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    this.events.push("recall");
    return this.onRecall(wanted);
  }

  countOf(event: string): number {
    return this.events.filter((it) => it === event).length;
  }
}

/** One session at the remote appliance: keeps what came. */
export class RecordingSession implements GroupSessionOwner {
  readonly hello: GroupHello;
  readonly session: GroupSession;
  readonly batchBodies: Buffer[] = [];
  readonly asked: number[] = [];
  readonly fetches: number[] = [];
  endOfReadCount = 0;
  drainedCount = 0;
  closedCount = 0;
  onBatches: (body: Buffer) => void = () => {};

  constructor(hello: GroupHello, session: GroupSession) {
    this.hello = hello;
    this.session = session;
  }

  batches(buffer: Buffer, start: number, end: number): void {
    const body = Buffer.from(buffer.subarray(start, end));
    this.batchBodies.push(body);
    this.onBatches(body);
  }

  endOfRead(): void {
    this.endOfReadCount++;
  }

  askDurable(seq: number): void {
    this.asked.push(seq);
  }

  fetch(afterSeq: number): void {
    this.fetches.push(afterSeq);
  }

  drained(): void {
    this.drainedCount++;
  }

  closed(): void {
    this.closedCount++;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.batchBodies);
  }
}

export class RecordingSessions implements GroupSessions {
  readonly opened: RecordingSession[] = [];
  welcome: GroupWelcome = { ...zeroMarks, epoch: 2, bootId: "boot-of-remote" };
  refuseWith: Error | undefined;
  creditBytes = 64 * 1024 * 1024;
  onOpen: (session: RecordingSession) => void = () => {};
  /** What opening a session takes as long as. */
  opening: Promise<void> = Promise.resolve();

  async open(hello: GroupHello, session: GroupSession): Promise<{ welcome: GroupWelcome; owner: GroupSessionOwner }> {
    await this.opening;
    if (this.refuseWith !== undefined) throw this.refuseWith;
    const owner = new RecordingSession(hello, session);
    this.opened.push(owner);
    session.giveCredit(this.creditBytes);
    this.onOpen(owner);
    return { welcome: this.welcome, owner };
  }

  get last(): RecordingSession {
    return this.opened.at(-1) as RecordingSession;
  }
}

export interface WorldOptions {
  readonly seed?: number;
  readonly clientToken?: string;
  /** Where the client connects to, if not to the remote itself. */
  readonly by?: SocketAddress;
  readonly connectionCountMax?: number;
  readonly strangerCountMax?: number;
  /** What the local side's link is told besides. */
  readonly link?: (local: SimHost) => Partial<GroupLinkOptions>;
}

export async function groupWorld(options: WorldOptions = {}) {
  const simulation = new Simulation(options.seed ?? 1);
  const [local, remote] = [simulation.host("local"), simulation.host("remote")];
  const driver = simDriver(simulation.clock);
  const sessions = new RecordingSessions();
  const owner = new RecordingOwner();
  const server = new GroupLinkServer({ ...portsOf(remote), token, ...bounds(options) }, sessions);
  const client = new GroupLinkClient(
    {
      ...portsOf(local),
      token: options.clientToken ?? token,
      address: options.by ?? remoteAddress,
      ...options.link?.(local),
    },
    owner,
  );
  await server.listen(remoteAddress);
  const { clock, network, trace } = simulation;
  return { simulation, clock, network, trace, local, remote, driver, sessions, owner, server, client };
}

export type GroupWorld = Awaited<ReturnType<typeof groupWorld>>;

/** The link is up, and its credit has come. */
export async function worldThatIsUp(options: WorldOptions = {}): Promise<GroupWorld> {
  const world = await groupWorld(options);
  world.client.start();
  await world.driver.until(() => world.client.mayShipBytes > 0);
  return world;
}

export function portsOf(host: ReturnType<Simulation["host"]>) {
  const { sockets, clock, randomness, log } = host;
  return { sockets, clock, randomness, log };
}

function bounds({ connectionCountMax, strangerCountMax }: WorldOptions) {
  return {
    ...(connectionCountMax === undefined ? {} : { connectionCountMax }),
    ...(strangerCountMax === undefined ? {} : { strangerCountMax }),
  };
}

/** Lets time pass, and promises settle in it. */
export async function pass(world: Pick<GroupWorld, "clock" | "driver">, durationMs: number): Promise<void> {
  let isOver = false;
  world.clock.schedule(durationMs, () => {
    isOver = true;
  });
  await world.driver.until(() => isOver);
}
