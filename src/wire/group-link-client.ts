/** The local appliance's end of a group's link: keeps a connection to the remote, as its machine says. */
import { assert, assertNever } from "#src/core/assert.ts";
import { ReconnectError } from "#src/core/errors.ts";
import type { Timer } from "#src/host/clock.ts";
import type { BandwidthGate } from "./bandwidth-gate.ts";
import { Dial, type DialOptions } from "./dial.ts";
import type { FrameChannel } from "./frame-channel.ts";
import { type ConversationOwner, GroupConversation } from "./group-conversation.ts";
import type { GroupLink, GroupLinkOwner } from "./group-link.ts";
import { GroupLinkMachine, type LinkAction, type LinkEvent } from "./group-link-machine.ts";
import { recallOffer } from "./group-messages.ts";
import { checkToken } from "./link-options.ts";
import { LinkShaper } from "./link-shaper.ts";
import { LinkTraffic, type TrafficFigures } from "./link-traffic.ts";

export interface GroupLinkOptions extends DialOptions {
  /** Batches are compressed while that helps; otherwise never. */
  readonly mayCompress?: boolean;
  /** Shared by all that are to keep to one limit. */
  readonly gate?: BandwidthGate;
}

export class GroupLinkClient implements GroupLink {
  readonly #options: GroupLinkOptions;
  readonly #traffic = new LinkTraffic();
  readonly #owner: GroupLinkOwner;
  readonly #machine: GroupLinkMachine;
  #dial: Dial | undefined;
  #channel: FrameChannel | undefined;
  #conversation: GroupConversation | undefined;
  #timer: Timer | undefined;
  #lastFailure = "";

  constructor(options: GroupLinkOptions, owner: GroupLinkOwner) {
    checkToken(options.token);
    this.#options = options;
    this.#owner = owner;
    this.#machine = new GroupLinkMachine(options.randomness);
  }

  start(): void {
    this.#handle({ kind: "start" });
  }

  get state(): GroupLinkMachine["state"] {
    return this.#machine.state;
  }

  get isUp(): boolean {
    return this.#machine.state === "up" && this.#channel?.isOpen === true;
  }

  get traffic(): TrafficFigures {
    return this.#traffic.figures;
  }

  get mayShipBytes(): number {
    return this.isUp ? (this.#conversation?.mayShipBytes ?? 0) : 0;
  }

  ship(pieces: readonly Buffer[]): boolean {
    assert(this.isUp && this.#conversation !== undefined, "batches are shipped while the link is up");
    return this.#conversation.ship(pieces);
  }

  expectAnswer(): void {
    if (this.isUp) this.#channel?.expectAnswer();
  }

  askDurable(seq: number): void {
    if (this.isUp) this.#conversation?.askDurable(seq);
  }

  fetch(afterSeq: number, take: (batch: Buffer) => void): Promise<void> {
    if (!this.isUp || this.#conversation === undefined) return Promise.reject(new ReconnectError("the link is down"));
    return this.#conversation.fetch(afterSeq, take);
  }

  reconnect(why: string): void {
    if (this.isUp) this.#channel?.close(new ReconnectError(why));
  }

  async stop(): Promise<void> {
    this.#handle({ kind: "stop" });
    await this.#channel?.over;
  }

  #handle(event: LinkEvent): void {
    for (const action of this.#machine.handle(event)) this.#act(action);
  }

  #act(action: LinkAction): void {
    switch (action.kind) {
      case "dial":
        this.#reachOut();
        break;
      case "tellUp":
        this.#lastFailure = "";
        this.#owner.up(action.welcome);
        break;
      case "tellDown":
        this.#owner.down(action.why);
        break;
      case "tellRefused":
        this.#owner.refused(action.error);
        break;
      case "logFailure":
        this.#logFailure(action.why);
        break;
      case "wait":
        this.#timer = this.#options.clock.timer(action.delayMs, () => this.#handle({ kind: "waited" }));
        break;
      case "leave":
        this.#leave();
        break;
      default:
        assertNever(action);
    }
  }

  #reachOut(): void {
    this.#dial = new Dial(this.#options, "group", () => ({ ...this.#owner.hello(), ...recallOffer }), {
      joined: (channel) => this.#joined(channel),
      failed: (error) => this.#lost(error),
    });
  }

  #joined(channel: FrameChannel): GroupConversation {
    this.#channel = channel;
    this.#handle({ kind: "joined" });
    const owner: ConversationOwner = {
      welcomed: (welcome) => this.#handle({ kind: "welcomed", welcome, nowMs: this.#options.clock.monotonicMs() }),
      watermarks: (marks) => this.#owner.watermarks(marks),
      mayShip: () => this.#owner.mayShip(),
      recall: (wanted) => this.#owner.recall(wanted),
      closed: (error) => this.#lost(error),
    };
    this.#conversation = new GroupConversation(channel, owner, this.#shaper());
    return this.#conversation;
  }

  #shaper(): LinkShaper {
    const { clock, mayCompress = false, gate } = this.#options;
    return new LinkShaper({ clock, mayCompress, gate, traffic: this.#traffic });
  }

  #lost(error: Error): void {
    this.#dial = undefined;
    this.#channel = undefined;
    this.#conversation = undefined;
    this.#handle({ kind: "lost", error, nowMs: this.#options.clock.monotonicMs() });
  }

  /** The same reason is told once, not with each attempt. */
  #logFailure(why: string): void {
    if (why !== this.#lastFailure) this.#options.log.warn("the remote appliance cannot be reached", { why });
    this.#lastFailure = why;
  }

  #leave(): void {
    const why = "the local appliance stops";
    this.#timer?.cancel();
    if (this.#channel === undefined) this.#dial?.cancel(why);
    else this.#channel.part(new ReconnectError(why));
  }
}
