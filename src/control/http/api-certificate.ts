/**
 * The certificate that the control API shows. Who renews it puts other files in the place of the old ones: they are looked at once a
 * minute, and new connections get what is in them. Files that cannot be used leave the one before in force.
 */
import { X509Certificate } from "node:crypto";
import { certificateLookMs } from "#src/core/http-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { readTextFileLater } from "#src/host/node/text-file.ts";
import type { TlsCredentials } from "#src/host/socket.ts";
import { readCredentials, type TlsFiles } from "../credentials.ts";

export interface ApiCertificateParts {
  readonly files: TlsFiles;
  readonly clock: Pick<Clock, "timer">;
  readonly log: Log;
}

const section = "http.tls";

export class ApiCertificate {
  readonly #parts: ApiCertificateParts;
  #files: TlsFiles;
  #shown: TlsCredentials | undefined;
  #show: (credentials: TlsCredentials) => void = () => {};
  #timer: Timer | undefined;
  #isClosed = false;
  /** At the last look there was something that cannot be used. */
  #isInDoubt = false;
  #trouble: string | undefined;

  /** Throws where there is something that cannot be used. */
  constructor(parts: ApiCertificateParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#shown = readCredentials(parts.files, section);
  }

  /** Undefined: there is no TLS, and will not be any before the next start. */
  get shown(): TlsCredentials | undefined {
    return this.#shown;
  }

  /** What a person must mend. */
  get troubles(): readonly string[] {
    return this.#trouble === undefined ? [] : [this.#trouble];
  }

  /** `show`: to all who connect from now on. */
  begin(show: (credentials: TlsCredentials) => void): void {
    this.#show = show;
    if (this.#shown !== undefined) this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Answers the settings whose files have another content. Throws where that cannot be used; then all stays as it is. */
  take(files: TlsFiles): readonly string[] {
    const before = this.#shown;
    if (before === undefined) return [];
    const { certFile, keyFile } = this.#files;
    try {
      this.#takeOver(files, readCredentials(files, section) as TlsCredentials);
    } catch (error) {
      if (files.certFile === certFile && files.keyFile === keyFile) this.#tell(error as Error);
      throw error;
    }
    return (["cert", "key"] as const).filter((part) => this.#shown?.[part] !== before[part]).map(settingOf);
  }

  /** Never blocks on a disk that stands still. */
  async look(): Promise<void> {
    const files = this.#files;
    const [cert, key] = await Promise.all([textOf(files.certFile), textOf(files.keyFile)]);
    // It was told otherwise meanwhile.
    if (files !== this.#files) return;
    if (cert === this.#shown?.cert && key === this.#shown?.key) {
      this.#settle();
      return;
    }
    try {
      this.#takeOver(files, readCredentials(files, section) as TlsCredentials);
    } catch (error) {
      // Two files are not put in their places at once: who is in the middle of it has done it by the next look.
      if (this.#isInDoubt) this.#tell(error as Error);
      this.#isInDoubt = true;
    }
  }

  #lookLater(): void {
    this.#timer = this.#parts.clock.timer(certificateLookMs, () => {
      void this.look().then(() => {
        if (!this.#isClosed) this.#lookLater();
      });
    });
  }

  #takeOver(files: TlsFiles, credentials: TlsCredentials): void {
    const { cert, key } = this.#shown ?? {};
    this.#files = files;
    if (credentials.cert !== cert || credentials.key !== key) {
      this.#shown = credentials;
      this.#show(credentials);
      const ends = new X509Certificate(credentials.cert ?? "").validToDate.toISOString();
      this.#parts.log.info("the control API shows another certificate from now on", { ends });
    }
    this.#settle();
  }

  #settle(): void {
    this.#isInDoubt = false;
    this.#trouble = undefined;
  }

  #tell(error: Error): void {
    const remedy = "when that is mended the new one is taken over by itself";
    const trouble = `the control API still shows its certificate of before: ${error.message}; ${remedy}`;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#parts.log.warn("the certificate of the control API was not renewed", { error });
  }
}

function settingOf(part: "cert" | "key"): string {
  return `${section}.${part}File`;
}

/** Undefined: it cannot be read, and it is told why when that is tried again. */
function textOf(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? Promise.resolve(undefined) : readTextFileLater(file).catch(() => undefined);
}
